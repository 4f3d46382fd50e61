//! Cuts a script into statements, because each must run, and commit, by itself.

/// Cuts SQL at the semicolons that stand outside of strings, quoted names, dollar quotes and comments.
///
/// Statements come without their semicolon and without surrounding space; empty ones are left out.
pub fn statements(script: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut rest = script;
    let mut statement = String::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ';' => {
                statements.push(std::mem::take(&mut statement));
                rest = &rest[1..];
                continue;
            }
            '\'' | '"' => through(rest, 1, &rest[..1]),
            '-' if rest.starts_with("--") => through(rest, 2, "\n"),
            '/' if rest.starts_with("/*") => through(rest, 2, "*/"),
            '$' => dollar_tag(rest).map_or(1, |tag| through(rest, tag.len(), tag)),
            _ => first.len_utf8(),
        };
        if !rest.starts_with("--") {
            statement.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    statements.push(statement);
    statements.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// How far it is to the end of `closing`, looked for behind the first `skip` bytes; to the end of the text without it.
fn through(text: &str, skip: usize, closing: &str) -> usize {
    text[skip..].find(closing).map_or(text.len(), |at| skip + at + closing.len())
}

/// The opening `$tag$` that the text begins with.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = 1 + text[1..].find('$')?;
    let inner = &text[1..end];
    inner.chars().all(|letter| letter.is_alphanumeric() || letter == '_').then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_within_quotes_do_not_cut() {
        let script = "INSERT INTO t VALUES ('a;b', 'it''s;', \"c;d\", $$e;f$$, $x$g;$$;h$x$); SELECT $1;";

        let statements = statements(script);

        assert_eq!(
            statements,
            ["INSERT INTO t VALUES ('a;b', 'it''s;', \"c;d\", $$e;f$$, $x$g;$$;h$x$)", "SELECT $1"]
        );
    }

    #[test]
    fn line_comments_are_left_out() {
        assert_eq!(statements("-- one; two\nSELECT 1 -- three;\n;\n-- end"), ["SELECT 1"]);
    }
}
