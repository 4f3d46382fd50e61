//! Types as `pg_type` and `pg_enum` describe them.

use std::collections::HashMap;
use std::sync::Arc;

/// One row of `pg_type`, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TypeRow {
    /// `typname`.
    pub(crate) name: String,
    /// `typtype`: b base, c composite, d domain, e enum, m multirange, p pseudo, r range.
    pub(crate) kind: char,
    /// Element type of a true array, else 0.
    pub(crate) element: u32,
    /// Base type of a domain, else 0.
    pub(crate) base: u32,
    /// Type modifier that a domain puts on its base.
    pub(crate) base_modifier: i32,
    /// Labels of an enum in their order.
    pub(crate) labels: Vec<String>,
}

/// Types by oid.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypeCatalog(pub(crate) HashMap<u32, TypeRow>);

/// A type with its domains taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedType {
    /// Name of the base type, such as `int4` or `citext`.
    pub(crate) name: String,
    /// Type modifier, -1 for none.
    pub(crate) modifier: i32,
    /// Labels, of an enum.
    pub(crate) labels: Option<Arc<[String]>>,
    /// Elements, of an array.
    pub(crate) element: Option<Box<ResolvedType>>,
}

impl TypeCatalog {
    /// Takes the domains off a type; `None` for an oid that the catalog does not hold.
    pub(crate) fn resolve(&self, oid: u32, modifier: i32) -> Option<ResolvedType> {
        /// Deeper nesting of domains than anyone writes.
        const MAX_DOMAINS: usize = 32;

        let (mut row, mut modifier) = (self.0.get(&oid)?, modifier);
        for _ in 0..MAX_DOMAINS {
            if row.kind != 'd' {
                break;
            }
            if modifier < 0 {
                modifier = row.base_modifier;
            }
            row = self.0.get(&row.base)?;
        }
        let element = match row.element {
            0 => None,
            oid => Some(Box::new(self.resolve(oid, modifier)?)),
        };
        let labels = (row.kind == 'e').then(|| row.labels.as_slice().into());
        Some(ResolvedType { name: row.name.clone(), modifier, labels, element })
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
        let element = catalog.resolve(3, 655_366).unwrap().element.unwrap();
        assert_eq!((element.name.as_str(), element.modifier), ("numeric", 655_366));
        assert_eq!(catalog.resolve(9, -1), None);
    }
}
