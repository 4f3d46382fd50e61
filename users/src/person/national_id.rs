//! National ids: mostly a form filled at random, for seven countries derived from the person.
//!
//! The service's faults are kept, because its readers meet them: Danish and German ids count years from 1900 (`101`
//! is 2001), French ones count months from 0, and the Finnish ones hold `NaN` and `undefined`.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Gender, Generator};
use crate::words::Nation;

/// What an id tells of its holder.
pub(super) struct Holder<'a> {
    pub(super) gender: Gender,
    pub(super) last: &'a str,
    /// Day of birth in UTC.
    pub(super) born: Date,
}

impl Generator {
    pub(super) fn national_id(&mut self, nation: &Nation, holder: &Holder<'_>) -> Value {
        let value = match nation.code {
            _ if nation.id_name.is_empty() => None,
            "CA" => Some(self.canadian_id()),
            "DE" => Some(self.german_id(holder)),
            "DK" => Some(format!("{}-{}", day_month_year(holder.born), self.fill("####"))),
            "FI" => Some(self.finnish_id(holder.gender)),
            "FR" => Some(self.french_id(holder)),
            "NO" => Some(self.norwegian_id(holder)),
            "US" => Some(self.american_id()),
            _ => Some(self.fill(nation.id_form)),
        };
        json!({ "name": nation.id_name, "value": value })
    }

    /// Nine digits that pass Luhn's check.
    fn canadian_id(&mut self) -> String {
        let digits = self.fill("########");
        let sum: u32 = digits
            .bytes()
            .map(|byte| u32::from(byte - b'0'))
            .enumerate()
            .map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
            .sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    }

    fn german_id(&mut self, holder: &Holder<'_>) -> String {
        let office = self.fill("[12345678]#");
        let initial = holder.last.chars().next().unwrap_or_default();
        let serial = match holder.gender {
            Gender::Male => self.fill("[01234]#"),
            Gender::Female => self.fill("[56789]#"),
        };
        format!("{office} {} {initial} {serial}{}", day_month_year(holder.born), self.rng.digit(10))
    }

    fn finnish_id(&mut self, gender: Gender) -> String {
        let serial = match gender {
            Gender::Male => self.fill("##[13579]"),
            Gender::Female => self.fill("##[02468]"),
        };
        format!("NaNNA{serial}undefined")
    }

    /// Ends in a key of modulus 97.
    fn french_id(&mut self, holder: &Holder<'_>) -> String {
        let sex = if holder.gender == Gender::Male { 1 } else { 2 };
        let month = holder.born.month() - 1;
        let number = format!("{sex}{}{month:02}{}", years_from_1900(holder.born), self.fill("########"));
        let value: u64 = number.parse().expect("only digits were written, fifteen at most");
        format!("{number} {:02}", 97 - value % 97)
    }

    /// Day of birth, three digits of which the last is odd for men, and two check digits of modulus 11.
    fn norwegian_id(&mut self, holder: &Holder<'_>) -> String {
        let (born, male) = (holder.born, holder.gender == Gender::Male);
        let serials = if born.year() >= 2000 { 500..=999 } else { 0..=499 };
        loop {
            let serial = (self.rng.u32(serials.clone()) & !1) + u32::from(male);
            let number =
                format!("{:02}{:02}{:02}{serial:03}", born.day(), born.month(), born.year().rem_euclid(100));
            let Some(first) = check_digit(&number, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) else { continue };
            let number = format!("{number}{first}");
            match check_digit(&number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) {
                // The service gives out none that ends in 0.
                None | Some(0) => {}
                Some(second) => return format!("{number}{second}"),
            }
        }
    }

    /// No block of zeros, and no area that is not given out: 666, 900 to 999.
    fn american_id(&mut self) -> String {
        let area = match self.rng.u32(1..=898) {
            area @ 666.. => area + 1,
            area => area,
        };
        format!("{area:03}-{:02}-{:04}", self.rng.u32(1..=99), self.rng.u32(1..=9999))
    }
}

fn years_from_1900(date: Date) -> i16 {
    date.year() - 1900
}

fn day_month_year(date: Date) -> String {
    format!("{:02}{:02}{}", date.day(), date.month(), years_from_1900(date))
}

/// Modulus 11; `None` where that gives 10, which is no digit.
fn check_digit(number: &str, weights: &[u32]) -> Option<u32> {
    let sum: u32 = number.bytes().zip(weights).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    Some((11 - sum % 11) % 11).filter(|digit| *digit < 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::NATIONS;

    fn id_of(code: &str, gender: Gender, born: &str) -> String {
        let nation = NATIONS.iter().find(|nation| nation.code == code).unwrap();
        let holder = Holder { gender, last: "Weiß", born: born.parse().unwrap() };
        let id = Generator::new(3).national_id(nation, &holder);
        id["value"].as_str().unwrap().to_owned()
    }

    #[test]
    fn canadian_ids_pass_luhns_check() {
        let doubled = |digit: u32| digit * 2 / 10 + digit * 2 % 10;
        let mut generator = Generator::new(1);

        for _ in 0..100 {
            let id = generator.canadian_id();
            let digits = id.chars().filter_map(|digit| digit.to_digit(10)).enumerate();
            let sum: u32 = digits.map(|(place, d)| if place % 2 == 1 { doubled(d) } else { d }).sum();
            assert_eq!((id.len(), sum % 10), (9, 0));
        }
    }

    #[test]
    fn danish_ids_count_years_from_1900() {
        assert!(id_of("DK", Gender::Female, "2001-03-05").starts_with("0503101-"));
    }

    #[test]
    fn french_ids_count_months_from_zero() {
        assert!(id_of("FR", Gender::Female, "1985-01-20").starts_with("28500"));
    }

    #[test]
    fn german_ids_hold_birth_initial_and_gender() {
        let id = id_of("DE", Gender::Male, "1961-12-09");

        let parts: Vec<_> = id.split(' ').collect();
        assert_eq!((parts[1], parts[2]), ("091261", "W"));
        assert!(parts[3].len() == 3 && parts[3] < "500");
    }

    #[test]
    fn norwegian_ids_have_eleven_digits_odd_for_men() {
        let id = id_of("NO", Gender::Male, "1999-07-31");

        assert_eq!((id.len(), &id[..6]), (11, "310799"));
        assert!(id[6..9].parse::<u32>().unwrap() % 2 == 1);
    }

    #[test]
    fn finnish_ids_are_as_broken_as_the_services() {
        let id = id_of("FI", Gender::Female, "1970-01-01");

        assert!(id.starts_with("NaNNA") && id.ends_with("undefined") && id.len() == 17, "{id}");
    }

    #[test]
    fn american_ids_skip_what_is_not_given_out() {
        let mut generator = Generator::new(1);

        for _ in 0..2_000 {
            let id = generator.american_id();
            assert!(
                !id.starts_with("666") && !id.starts_with("000") && !id.starts_with('9') && id.len() == 11
            );
        }
    }
}
