//! From a randomuser document to a row of the `users` table: types checked, secrets left behind.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::degrees::Degrees;

/// The columns that a document fills, with their SQL types, in the order of [`UserRow::to_texts`].
///
/// `created_at`, `updated_at` and `version` are not among them: the table's defaults fill those.
pub const COLUMNS: [(&str, &str); 26] = [
    ("id", "uuid"),
    ("gender", "text"),
    ("name_title", "text"),
    ("name_first", "text"),
    ("name_last", "text"),
    ("street_number", "integer"),
    ("street_name", "text"),
    ("city", "text"),
    ("state", "text"),
    ("country", "text"),
    ("postcode", "text"),
    ("latitude", "numeric"),
    ("longitude", "numeric"),
    ("timezone_offset", "text"),
    ("timezone_description", "text"),
    ("email", "text"),
    ("username", "text"),
    ("dob", "timestamptz"),
    ("registered", "timestamptz"),
    ("phone", "text"),
    ("cell", "text"),
    ("national_id_name", "text"),
    ("national_id_value", "text"),
    ("picture_url", "text"),
    ("nat", "text"),
    ("raw", "jsonb"),
];

/// Parts of `login` that never reach a table.
const SECRETS: [&str; 5] = ["password", "salt", "md5", "sha1", "sha256"];

/// A person as a row of the `users` table.
#[derive(Debug, Clone, PartialEq)]
pub struct UserRow {
    /// `login.uuid`, the primary key.
    pub id: Uuid,
    /// `male` or `female`.
    pub gender: String,
    /// Title, first and last name.
    pub name: Name,
    /// Where the person lives.
    pub address: Address,
    /// E-mail address, not unique.
    pub email: String,
    /// User name, not unique.
    pub username: String,
    /// Date of birth.
    pub dob: Timestamp,
    /// Date of registration.
    pub registered: Timestamp,
    /// Telephone number.
    pub phone: String,
    /// Mobile telephone number.
    pub cell: String,
    /// Name of the national id; empty where the country has none.
    pub national_id_name: String,
    /// The national id, if there is one.
    pub national_id_value: Option<String>,
    /// Address of the large portrait.
    pub picture_url: String,
    /// Nationality: two upper-case letters.
    pub nat: String,
    /// The document without `login`'s password, salt and hashes.
    pub raw: Value,
}

/// The parts of a person's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// `Mr`, `Madame` …
    pub title: String,
    /// First name, in its own script.
    pub first: String,
    /// Last name, in its own script.
    pub last: String,
}

/// Where a person lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// House number.
    pub street_number: i32,
    /// Street.
    pub street_name: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// English name of the country.
    pub country: String,
    /// Postcode: text, because of leading zeros and letters.
    pub postcode: String,
    /// Degrees north.
    pub latitude: Degrees,
    /// Degrees east.
    pub longitude: Degrees,
    /// Offset as the service writes it, `+5:45`.
    pub timezone_offset: String,
    /// Description of the time zone.
    pub timezone_description: String,
}

/// A document that is no person: which field, and what it should have been. The value itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// JSON pointer of the field, `/location/postcode`.
    pub pointer: &'static str,
    /// What the field should hold.
    pub expected: &'static str,
}

impl fmt::Display for RowError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "field `{}` is not {}", self.pointer, self.expected)
    }
}

impl std::error::Error for RowError {}

impl TryFrom<Value> for UserRow {
    type Error = RowError;

    /// # Errors
    ///
    /// Names the first field that is missing or has the wrong type.
    fn try_from(mut document: Value) -> Result<Self, RowError> {
        let fields = Fields(&document);
        let mut row = Self {
            id: fields.parse("/login/uuid", "a uuid", |text| Uuid::parse_str(text).ok())?,
            gender: fields.text("/gender")?,
            name: fields.name()?,
            address: fields.address()?,
            email: fields.text("/email")?,
            username: fields.text("/login/username")?,
            dob: fields.timestamp("/dob/date")?,
            registered: fields.timestamp("/registered/date")?,
            phone: fields.text("/phone")?,
            cell: fields.text("/cell")?,
            national_id_name: fields.text("/id/name")?,
            national_id_value: fields.optional_text("/id/value")?,
            picture_url: fields.text("/picture/large")?,
            nat: fields.text("/nat")?,
            raw: Value::Null,
        };
        drop_secrets(&mut document);
        row.raw = document;
        Ok(row)
    }
}

impl UserRow {
    /// Renders every column of [`COLUMNS`] as the text that Postgres parses for its type; `None` is NULL.
    #[must_use]
    pub fn to_texts(&self) -> [Option<String>; COLUMNS.len()] {
        let text = |value: &str| Some(value.to_owned());
        let [
            street_number,
            street_name,
            city,
            state,
            country,
            postcode,
            latitude,
            longitude,
            offset,
            description,
        ] = self.address.to_texts().map(Some);
        [
            Some(self.id.to_string()),
            text(&self.gender),
            text(&self.name.title),
            text(&self.name.first),
            text(&self.name.last),
            street_number,
            street_name,
            city,
            state,
            country,
            postcode,
            latitude,
            longitude,
            offset,
            description,
            text(&self.email),
            text(&self.username),
            Some(self.dob.to_string()),
            Some(self.registered.to_string()),
            text(&self.phone),
            text(&self.cell),
            text(&self.national_id_name),
            self.national_id_value.clone(),
            text(&self.picture_url),
            text(&self.nat),
            Some(self.raw.to_string()),
        ]
    }
}

impl Address {
    /// Reads the `location` of a document.
    ///
    /// # Errors
    ///
    /// Names the first field that is missing or has the wrong type.
    pub fn from_document(document: &Value) -> Result<Self, RowError> {
        Fields(document).address()
    }

    /// Renders the ten columns from `street_number` to `timezone_description`, in the order of [`COLUMNS`].
    #[must_use]
    pub fn to_texts(&self) -> [String; 10] {
        [
            self.street_number.to_string(),
            self.street_name.clone(),
            self.city.clone(),
            self.state.clone(),
            self.country.clone(),
            self.postcode.clone(),
            self.latitude.to_string(),
            self.longitude.to_string(),
            self.timezone_offset.clone(),
            self.timezone_description.clone(),
        ]
    }
}

fn drop_secrets(document: &mut Value) {
    if let Some(login) = document.pointer_mut("/login").and_then(Value::as_object_mut) {
        for secret in SECRETS {
            login.shift_remove(secret);
        }
    }
}

/// Checked access to the fields of a document.
struct Fields<'a>(&'a Value);

impl Fields<'_> {
    fn text(&self, pointer: &'static str) -> Result<String, RowError> {
        self.parse(pointer, "a string", |text| Some(text.to_owned()))
    }

    fn optional_text(&self, pointer: &'static str) -> Result<Option<String>, RowError> {
        match self.0.pointer(pointer) {
            Some(Value::Null) => Ok(None),
            _ => self.text(pointer).map(Some).map_err(|_| RowError { pointer, expected: "a string or null" }),
        }
    }

    fn timestamp(&self, pointer: &'static str) -> Result<Timestamp, RowError> {
        self.parse(pointer, "a date and time in ISO 8601", |text| text.parse().ok())
    }

    fn degrees(&self, pointer: &'static str) -> Result<Degrees, RowError> {
        self.parse(pointer, "degrees with at most four decimals, as a string", Degrees::parse)
    }

    fn parse<T>(
        &self,
        pointer: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, RowError> {
        let text = self.0.pointer(pointer).and_then(Value::as_str);
        text.and_then(parse).ok_or(RowError { pointer, expected })
    }

    fn name(&self) -> Result<Name, RowError> {
        Ok(Name {
            title: self.text("/name/title")?,
            first: self.text("/name/first")?,
            last: self.text("/name/last")?,
        })
    }

    fn address(&self) -> Result<Address, RowError> {
        Ok(Address {
            street_number: self.street_number()?,
            street_name: self.text("/location/street/name")?,
            city: self.text("/location/city")?,
            state: self.text("/location/state")?,
            country: self.text("/location/country")?,
            postcode: self.postcode()?,
            latitude: self.degrees("/location/coordinates/latitude")?,
            longitude: self.degrees("/location/coordinates/longitude")?,
            timezone_offset: self.text("/location/timezone/offset")?,
            timezone_description: self.text("/location/timezone/description")?,
        })
    }

    fn street_number(&self) -> Result<i32, RowError> {
        let pointer = "/location/street/number";
        let number =
            self.0.pointer(pointer).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
        number.ok_or(RowError { pointer, expected: "a 32-bit number" })
    }

    fn postcode(&self) -> Result<String, RowError> {
        let pointer = "/location/postcode";
        match self.0.pointer(pointer) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
            _ => Err(RowError { pointer, expected: "a string or a whole number" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::person::Generator;

    #[test]
    fn every_generated_person_is_a_row() {
        let mut generator = Generator::new(11);

        for _ in 0..2_000 {
            UserRow::try_from(generator.person()).unwrap();
        }
    }

    #[test]
    fn secrets_are_dropped_and_the_rest_stays() {
        let document = Generator::new(2).person();

        let row = UserRow::try_from(document.clone()).unwrap();

        let login: Vec<_> = row.raw["login"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(login.join(" "), "uuid username");
        assert_eq!(row.raw["location"], document["location"]);
    }

    #[test]
    fn postcodes_become_text_from_numbers_and_strings() {
        let mut document = Generator::new(2).person();

        for (given, text) in [(json!(90210), "90210"), (json!("0001"), "0001"), (json!("K1A 0B1"), "K1A 0B1")]
        {
            document["location"]["postcode"] = given;
            assert_eq!(UserRow::try_from(document.clone()).unwrap().address.postcode, text);
        }
    }

    #[test]
    fn faults_name_the_field_and_not_the_value() {
        let mut document = Generator::new(2).person();
        document["location"]["coordinates"]["latitude"] = json!("12.34567");

        let error = UserRow::try_from(document).unwrap_err();

        assert_eq!(error.pointer, "/location/coordinates/latitude");
        assert!(!error.to_string().contains("12.34567"));
    }

    #[test]
    fn a_null_national_id_is_null() {
        let mut document = Generator::new(2).person();
        document["id"] = json!({ "name": "", "value": null });

        let row = UserRow::try_from(document).unwrap();

        assert_eq!((row.national_id_name.as_str(), row.national_id_value), ("", None));
    }
}
