//! Versions as programs print them.

use std::fmt;

/// A dotted version: `17.0.15`. Missing parts count as zero in comparisons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version(Vec<u32>);

impl Version {
    /// Finds the first number in a text, with the dotted parts that follow it; the numbers in terminal colours do not count.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let digit = |letter: char| letter.is_ascii_digit();
        let starts = text.match_indices(digit).map(|(start, _)| start);
        let start = starts.into_iter().find(|start| !text[..*start].ends_with("\u{1b}["))?;
        let rest = &text[start..];
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let parts = rest[..end].split('.').map_while(|part| part.parse().ok()).collect();
        Some(Self(parts))
    }

    /// The first part.
    pub(crate) fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Tells whether this version is the given one or newer.
    pub(crate) fn at_least(&self, major: u32, minor: u32) -> bool {
        let own_minor = self.0.get(1).copied().unwrap_or(0);
        (self.major(), own_minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        formatter.write_str(&parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_in_what_programs_print() {
        let cases = [
            ("JAVA_VERSION=\"17.0.15\"\n", "17.0.15"),
            ("\u{1b}[1mApache Maven 3.8.7\u{1b}[m\nMaven home: /usr/share/maven", "3.8.7"),
            ("v20.20.2\n", "20.20.2"),
            ("cc (Debian 12.2.0-14+deb12u1) 12.2.0", "12.2.0"),
            ("setpriv from util-linux 2.38.1", "2.38.1"),
            ("#define ZLIB_VERSION \"1.2.13\"", "1.2.13"),
        ];
        for (text, version) in cases {
            assert_eq!(Version::find(text).unwrap().to_string(), version, "in {text:?}");
        }
        assert_eq!(Version::find("no digits"), None);
    }

    #[test]
    fn compares_by_number() {
        let version = Version::find("3.10").unwrap();

        assert!(version.at_least(3, 8));
        assert!(!version.at_least(3, 11));
        assert!(!version.at_least(4, 0));
    }
}
