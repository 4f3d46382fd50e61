//! User and password from Java's `sasl.jaas.config`.

/// Reads `… required username="u" password="p";` of the plain and SCRAM login modules.
///
/// # Errors
/// What is expected, without the text: it holds the password.
pub(crate) fn user_and_password(text: &str) -> Result<(String, String), String> {
    let expected = || {
        "a PlainLoginModule or ScramLoginModule line with username=\"…\" and password=\"…\"; \
         other modules: set `sasl.username` and `sasl.password` as librdkafka has them"
            .to_owned()
    };
    if !text.contains("PlainLoginModule") && !text.contains("ScramLoginModule") {
        return Err(expected());
    }
    match (option(text, "username"), option(text, "password")) {
        (Some(user), Some(password)) => Ok((user, password)),
        _ => Err(expected()),
    }
}

/// Finds `name="value"`, with `\"` and `\\` inside.
fn option(text: &str, name: &str) -> Option<String> {
    let start = text.match_indices(name).find_map(|(at, _)| {
        let alone = text[..at].chars().next_back().is_some_and(char::is_whitespace);
        let rest = text[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        alone.then_some(rest)?.strip_prefix('"')
    })?;
    let mut value = String::new();
    let mut characters = start.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Some(value),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_found_with_escapes() {
        let text = r#"org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="a\"b\\c";"#;

        assert_eq!(user_and_password(text), Ok(("ann".to_owned(), r#"a"b\c"#.to_owned())));
    }

    #[test]
    fn other_login_modules_are_refused_without_showing_the_text() {
        let error =
            user_and_password("com.sun.security.auth.module.Krb5LoginModule required x=\"s\";").unwrap_err();

        assert!(!error.contains("Krb5"));
    }
}
