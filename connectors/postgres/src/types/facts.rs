//! Types as `pg_type` and the tables beside it describe them.

use std::collections::HashMap;
use std::sync::Arc;

/// Bytes that Postgres adds to a length in a type modifier.
pub(super) const MODIFIER_HEADER: i32 = 4;
/// The first oid that is not given out by `initdb`; types below it are Postgres's own.
const FIRST_USER_OID: u32 = 16_384;

/// One row of `pg_type`, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TypeRow {
    /// `typname`.
    pub(crate) name: String,
    /// `typtype`: b base, c composite, d domain, e enum, m multirange, p pseudo, r range.
    pub(crate) kind: char,
    /// Element type of a true array, subtype of a range, range of a multirange, else 0.
    pub(crate) element: u32,
    /// Base type of a domain, else 0.
    pub(crate) base: u32,
    /// Type modifier that a domain puts on its base.
    pub(crate) base_modifier: i32,
    /// Labels of an enum in their order.
    pub(crate) labels: Vec<String>,
    /// Types of a composite's attributes in their order.
    pub(crate) attributes: Vec<u32>,
    /// What stands between the elements of an array of this type: `,`, and `;` for box.
    pub(crate) delimiter: char,
    /// Has a function that writes the binary form. Without one, Postgres streams text.
    pub(crate) sends: bool,
    /// Decimals of `money` under the session's `lc_monetary`, else 0.
    pub(crate) money_decimals: u8,
}

/// Types by oid.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypeCatalog(pub(crate) HashMap<u32, TypeRow>);

/// A type with its domains taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedType {
    /// Name of the base type, such as `int4` or `citext`.
    pub(crate) name: String,
    /// Oid of the base type.
    pub(crate) oid: u32,
    /// Type modifier, -1 for none.
    pub(crate) modifier: i32,
    /// What it is made of.
    pub(crate) form: Form,
    /// What stands between the elements of an array of this type.
    pub(crate) delimiter: char,
    /// Has a binary form.
    pub(crate) sends: bool,
    /// Decimals of `money` under the session's `lc_monetary`, else 0.
    pub(crate) money_decimals: u8,
    /// A domain was taken off.
    pub(crate) domain: bool,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing else.
    Base,
    /// Labels in their order.
    Enum(Arc<[String]>),
    /// Elements.
    Array(Box<ResolvedType>),
    /// Bounds.
    Range(Box<ResolvedType>),
    /// Ranges.
    Multirange(Box<ResolvedType>),
    /// Attributes in their order.
    Composite(Vec<ResolvedType>),
}

impl ResolvedType {
    /// Whether the type came with Postgres, so that its name says what it is.
    pub(crate) fn built_in(&self) -> bool {
        self.oid < FIRST_USER_OID
    }

    /// Scale of a `numeric` with a precision, as Debezium reads it: without its sign. Else nothing.
    pub(crate) fn numeric_scale(&self) -> Option<i32> {
        let packed = self.modifier - MODIFIER_HEADER;
        (packed >= 0).then_some(packed & 0x7FF)
    }

    /// Whether Postgres can send values, as binary or as text: it fails on the binary form of an array,
    /// range or composite with a part that has none.
    pub(crate) fn is_sendable(&self) -> bool {
        let sends = |part: &Self| part.sends && part.is_sendable();
        match &self.form {
            Form::Base | Form::Enum(_) => true,
            Form::Array(part) | Form::Range(part) | Form::Multirange(part) => sends(part),
            Form::Composite(parts) => parts.iter().all(sends),
        }
    }
}

impl TypeCatalog {
    /// Takes the domains off a type; `None` for an oid that the catalog does not hold.
    pub(crate) fn resolve(&self, oid: u32, modifier: i32) -> Option<ResolvedType> {
        /// Deeper nesting of domains than anyone writes.
        const MAX_DOMAINS: usize = 32;

        let (mut oid, mut row, mut modifier) = (oid, self.0.get(&oid)?, modifier);
        let domain = row.kind == 'd';
        for _ in 0..MAX_DOMAINS {
            if row.kind != 'd' {
                break;
            }
            if modifier < 0 {
                modifier = row.base_modifier;
            }
            oid = row.base;
            row = self.0.get(&oid)?;
        }
        Some(ResolvedType {
            name: row.name.clone(),
            oid,
            modifier,
            form: self.form(row, modifier)?,
            delimiter: row.delimiter,
            sends: row.sends,
            money_decimals: row.money_decimals,
            domain,
        })
    }

    fn form(&self, row: &TypeRow, modifier: i32) -> Option<Form> {
        let part = |modifier| self.resolve(row.element, modifier).map(Box::new);
        Some(match row.kind {
            'e' => Form::Enum(row.labels.as_slice().into()),
            'r' => Form::Range(part(-1)?),
            'm' => Form::Multirange(part(-1)?),
            'c' => {
                let attributes = row.attributes.iter().map(|oid| self.resolve(*oid, -1));
                Form::Composite(attributes.collect::<Option<_>>()?)
            }
            _ if row.element != 0 => Form::Array(part(modifier)?),
            _ => Form::Base,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, kind: char) -> TypeRow {
        TypeRow { name: name.to_owned(), kind, base_modifier: -1, ..TypeRow::default() }
    }

    #[test]
    fn domains_of_domains_end_in_the_base_with_its_modifier() {
        let inner = TypeRow { base: 1700, base_modifier: 524_294, ..row("money2", 'd') };
        let outer = TypeRow { base: 2, ..row("price", 'd') };
        let array = TypeRow { element: 1700, ..row("_numeric", 'b') };
        let catalog =
            TypeCatalog(HashMap::from([(1, outer), (2, inner), (3, array), (1700, row("numeric", 'b'))]));

        let price = catalog.resolve(1, -1).unwrap();
        assert_eq!((price.name.as_str(), price.modifier), ("numeric", 524_294));
        assert!(price.domain && price.built_in());
        let Form::Array(element) = catalog.resolve(3, 655_366).unwrap().form else { panic!("an array") };
        assert_eq!((element.name.as_str(), element.modifier), ("numeric", 655_366));
        assert_eq!(catalog.resolve(9, -1), None);
    }

    #[test]
    fn types_with_a_part_that_is_missing_are_not_resolved() {
        let pair = TypeRow { attributes: vec![23, 99], ..row("pair", 'c') };
        let catalog = TypeCatalog(HashMap::from([(1, pair), (23, row("int4", 'b'))]));

        assert_eq!(catalog.resolve(1, -1), None);
    }
}
