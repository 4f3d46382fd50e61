//! JSON bytes → a tree that keeps numbers as text and shares strings with the message.
//!
//! Hot path. `serde_json` would round Decimals to doubles and copy every string.

use bytes::Bytes;
use bytestring::ByteString;

use super::error::JsonError;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Boolean(bool),
    /// As written; a valid JSON number.
    Number(&'a str),
    Text(ByteString),
    List(Vec<Json<'a>>),
    /// Members in order, repeated keys among them.
    Object(Vec<(ByteString, Json<'a>)>),
}

/// Deepest nesting; safe for recursion on any thread.
const MAX_DEPTH: usize = 128;

impl Json<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Returns a member of an object.
    pub(super) fn member(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().rfind(|(name, _)| *name == key).map(|(_, value)| value)
    }

    pub(super) fn as_text(&self) -> Option<&ByteString> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

pub(super) struct Reader<'a> {
    source: &'a Bytes,
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Bytes) -> Result<Self, JsonError> {
        match std::str::from_utf8(source) {
            Ok(text) => Ok(Self { source, text, at: 0 }),
            Err(error) => Err(JsonError::NotJson { offset: error.valid_up_to(), problem: "not UTF-8" }),
        }
    }

    /// Reads the one value of the message.
    pub(super) fn document(&mut self) -> Result<Json<'a>, JsonError> {
        let value = self.value(MAX_DEPTH)?;
        self.end()?;
        Ok(value)
    }

    /// Checks that nothing but white space follows.
    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail("more than one value"),
        }
    }

    #[cold]
    pub(super) fn fail<T>(&self, problem: &'static str) -> Result<T, JsonError> {
        Err(JsonError::NotJson { offset: self.at, problem })
    }

    /// Returns the next byte that is not white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Takes one byte if it is the next.
    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn any(&mut self) -> Result<Json<'a>, JsonError> {
        self.value(MAX_DEPTH)
    }

    /// Passes over a value and returns its text.
    pub(super) fn skip(&mut self) -> Result<Bytes, JsonError> {
        self.peek();
        let start = self.at;
        self.pass(MAX_DEPTH)?;
        Ok(self.source.slice(start..self.at))
    }

    /// Reads `{`, then hands each key to `member`, which reads the value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, ByteString) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        if !self.accept(b'{') {
            return self.fail("expected an object");
        }
        if self.accept(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("expected a key");
            }
            let key = self.string()?;
            if !self.accept(b':') {
                return self.fail("expected `:`");
            }
            member(self, key)?;
            if self.accept(b'}') {
                return Ok(());
            }
            if !self.accept(b',') {
                return self.fail("expected `,` or `}`");
            }
        }
    }

    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), JsonError>) -> Result<(), JsonError> {
        self.at += 1;
        if self.accept(b']') {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.accept(b']') {
                return Ok(());
            }
            if !self.accept(b',') {
                return self.fail("expected `,` or `]`");
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        let Some(depth) = depth.checked_sub(1) else { return self.fail("nested too deep") };
        match self.peek() {
            Some(b'{') => {
                let mut members = Vec::new();
                self.object(|reader, key| {
                    members.push((key, reader.value(depth)?));
                    Ok(())
                })?;
                Ok(Json::Object(members))
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.list(|reader| {
                    items.push(reader.value(depth)?);
                    Ok(())
                })?;
                Ok(Json::List(items))
            }
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b't') => self.word("true", Json::Boolean(true)),
            Some(b'f') => self.word("false", Json::Boolean(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => self.fail("unexpected character"),
            None => self.fail("the message ends before the value does"),
        }
    }

    /// Checks a value's syntax without keeping it.
    fn pass(&mut self, depth: usize) -> Result<(), JsonError> {
        let Some(depth) = depth.checked_sub(1) else { return self.fail("nested too deep") };
        match self.peek() {
            Some(b'{') => self.pass_object(depth),
            Some(b'[') => self.list(|reader| reader.pass(depth)),
            Some(b'"') => self.pass_string(),
            _ => self.value(1).map(drop),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return self.fail("unexpected character");
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += usize::from(bytes[start] == b'-');
        match bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return self.fail("expected a digit"),
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while matches!(bytes.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.fail("expected a digit") } else { Ok(()) }
    }

    /// Reads a string at its opening quote; without escapes it shares the message.
    fn string(&mut self) -> Result<ByteString, JsonError> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut end = start;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => return self.escaped(start, end),
                Some(control) if *control < b' ' => return self.fail("control character in a string"),
                Some(_) => end += 1,
                None => return self.fail("the message ends in a string"),
            }
        }
        self.at = end + 1;
        let shared = ByteString::try_from(self.source.slice(start..end));
        shared.or_else(|_| self.fail("not UTF-8"))
    }

    fn pass_object(&mut self, depth: usize) -> Result<(), JsonError> {
        self.at += 1;
        if self.accept(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("expected a key");
            }
            self.pass_string()?;
            if !self.accept(b':') {
                return self.fail("expected `:`");
            }
            self.pass(depth)?;
            if self.accept(b'}') {
                return Ok(());
            }
            if !self.accept(b',') {
                return self.fail("expected `,` or `}`");
            }
        }
    }

    fn pass_string(&mut self) -> Result<(), JsonError> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        match rest.iter().position(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\')) {
            Some(end) if rest[end] == b'"' => {
                self.at += end + 2;
                Ok(())
            }
            _ => self.string().map(drop),
        }
    }

    /// Passes over text that is known to be valid JSON up to a value; whether it is there.
    pub(super) fn pass_known(&mut self, text: &[u8]) -> bool {
        let known = self.source[self.at..].starts_with(text);
        self.at += if known { text.len() } else { 0 };
        known
    }

    /// Takes the `}` that ends the message.
    pub(super) fn close(&mut self) -> bool {
        self.accept(b'}') && self.peek().is_none()
    }

    fn escaped(&mut self, start: usize, first: usize) -> Result<ByteString, JsonError> {
        let mut text = String::with_capacity(2 * (first - start) + 16);
        text.push_str(&self.text[start..first]);
        self.at = first;
        loop {
            let rest = &self.text[self.at..];
            let Some(plain) = rest.find(['"', '\\']) else {
                return self.fail("the message ends in a string");
            };
            if rest[..plain].bytes().any(|byte| byte < b' ') {
                return self.fail("control character in a string");
            }
            text.push_str(&rest[..plain]);
            self.at += plain + 1;
            if rest.as_bytes()[plain] == b'"' {
                return Ok(text.into());
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.text.as_bytes().get(self.at).copied();
        let character = match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return self.fail("unknown escape"),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads the digits of a `\u` escape, and of the low surrogate after a high one.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = self.unit()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit).map_or_else(|| self.fail("half of a surrogate pair"), Ok);
        }
        if !self.text[self.at..].starts_with("\\u") {
            return self.fail("half of a surrogate pair");
        }
        self.at += 2;
        let low = self.unit()?;
        if !(0xdc00..0xe000).contains(&low) {
            return self.fail("half of a surrogate pair");
        }
        let scalar = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        char::from_u32(scalar).map_or_else(|| self.fail("half of a surrogate pair"), Ok)
    }

    fn unit(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let unit = digits.and_then(|digits| {
            digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
        });
        match unit {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => self.fail("expected four hexadecimal digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn read(text: &str) -> Result<String, JsonError> {
        let source = Bytes::copy_from_slice(text.as_bytes());
        Reader::new(&source)?.document().map(|json| format!("{json:?}"))
    }

    #[test]
    fn escapes_become_characters() {
        let source = Bytes::from_static(br#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z""#);

        let json = Reader::new(&source).unwrap().document().unwrap();

        assert_eq!(json, Json::Text("a\"\\/\u{8}\u{c}\n\r\té😀z".into()));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "nul",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\n\"",
            "1 2",
            "{a:1}",
        ] {
            assert!(read(text).is_err(), "accepted {text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_as_serde_json_does(text in "[\\[\\]{}\",:0-9eE.\\\\ua-f+ -]{0,24}") {
            let ours = read(&text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            // Numbers beyond the range of a double are valid JSON that serde_json refuses.
            if theirs.is_ok() || !theirs.as_ref().is_err_and(|error| error.to_string().contains("number out of range")) {
                assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}");
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let source = Bytes::from(bytes);
            if let Ok(mut reader) = Reader::new(&source) {
                let _ = reader.document();
            }
        }
    }
}
