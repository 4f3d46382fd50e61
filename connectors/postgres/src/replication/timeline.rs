//! Timeline history: where each ancestor of a timeline ended.

use super::error::ReplicationError;
use crate::lsn::Lsn;

/// The end of one timeline: its promotion, restore or point-in-time recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineSwitch {
    /// The timeline that ended.
    pub timeline: u32,
    /// Where: positions above belong to another history.
    pub switch_point: Lsn,
    /// Why, in the server's words.
    pub reason: String,
}

/// Reads a history file: lines of timeline, position and reason, split by tabs; `#` comments.
pub(super) fn parse_history(content: &str) -> Result<Vec<TimelineSwitch>, ReplicationError> {
    content
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            parse_line(line)
                .ok_or_else(|| ReplicationError::protocol(format!("line `{line}` of a timeline history")))
        })
        .collect()
}

fn parse_line(line: &str) -> Option<TimelineSwitch> {
    let (timeline, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let (switch_point, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some(TimelineSwitch {
        timeline: timeline.parse().ok()?,
        switch_point: switch_point.parse().ok()?,
        reason: reason.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_lists_ancestors_in_order() {
        let content = "1\t0/3000110\tno recovery target specified\n\n# note\n2\t0/5000000\t\n";

        let history = parse_history(content).unwrap();

        assert_eq!(history.len(), 2);
        assert_eq!(history[0].timeline, 1);
        assert_eq!(history[0].switch_point, Lsn::new(0x300_0110));
        assert_eq!(history[0].reason, "no recovery target specified");
        assert_eq!(history[1].reason, "");
    }

    #[test]
    fn a_line_that_is_no_switch_is_an_error() {
        let error = parse_history("1 here").unwrap_err();

        assert!(error.to_string().contains("`1 here`"), "{error}");
    }
}
