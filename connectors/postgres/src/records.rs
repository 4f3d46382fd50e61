//! Changes → records, as Debezium shapes them.
//!
//! Hot path. A record costs its value lists; names, schemas and headers are shared.

mod output;
mod rows;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use sluice_core::change::{Change, ChangeSchema, Operation, TransactionBlock};
use sluice_core::record::{Datum, EventPosition, Header, Headers, Origin, Payload, Record};
use sluice_core::schema::{Kind, Schema, SchemaRef};
use sluice_core::value::Value;
use uuid::Uuid;

use crate::assemble::TransactionInfo;
use crate::config::{PostgresConfig, SkippedOperations};
use crate::difference::key_changed;
use crate::error::SourceError;
use crate::lsn::Lsn;
use crate::messages::{self, MessageMaker};
use crate::pgoutput::{self, Delete, Insert, LogicalMessage, Message, Update};
use crate::replication::ReplicationError;
use crate::source_block::{CONNECTOR, Place, SNAPSHOT_FIELD, SourceBlock};
use crate::table::Table;
use crate::transaction::TransactionMetadata;
pub(crate) use output::Output;
pub(crate) use rows::read_column;

/// Header of a delete that a key change made: the key after it.
const NEW_KEY: &str = "__debezium.newkey";
/// Header of a create that a key change made: the key before it.
const OLD_KEY: &str = "__debezium.oldkey";

/// Makes records.
#[derive(Debug)]
pub(crate) struct RecordMaker {
    pub(crate) source: SourceBlock,
    headers: Arc<[Header]>,
    tombstones: bool,
    skipped: SkippedOperations,
    metadata: Option<TransactionMetadata>,
    epoch: u32,
    /// The table versions in force, by oid.
    tables: HashMap<u32, Arc<Table>>,
    /// By oid: the schemas of tables in which NULL came where their own does not allow it.
    loosened: HashMap<u32, Arc<ChangeSchema>>,
    /// The same of keys.
    loosened_keys: HashMap<u32, SchemaRef>,
    /// The row that was read has such a NULL.
    misfit: bool,
    messages: MessageMaker,
    chunk: BytesMut,
    /// Connector clock of the records to come, ns since 1970.
    pub(crate) now: i64,
}

impl RecordMaker {
    pub(crate) fn new(config: &PostgresConfig, epoch: u32, run: Uuid) -> Self {
        Self {
            source: SourceBlock::new(config),
            headers: context_headers(config, run),
            tombstones: config.tombstones,
            skipped: config.skipped,
            metadata: TransactionMetadata::new(config),
            epoch,
            tables: HashMap::new(),
            loosened: HashMap::new(),
            loosened_keys: HashMap::new(),
            misfit: false,
            messages: MessageMaker::new(config),
            chunk: BytesMut::new(),
            now: 0,
        }
    }

    /// From here on a relation has this version.
    pub(crate) fn install(&mut self, table: Arc<Table>) {
        self.loosened.remove(&table.relation.relation_id);
        self.loosened_keys.remove(&table.relation.relation_id);
        self.tables.insert(table.relation.relation_id, table);
    }

    /// Makes the record before a transaction's events, if there is to be one.
    pub(crate) fn begin(&mut self, info: &TransactionInfo, out: &mut Output) {
        if let (Some(metadata), Some(xid)) = (&mut self.metadata, info.xid) {
            out.records.push(metadata.begin(xid, info, &mut self.chunk));
        }
    }

    /// Makes the record after a transaction's events, if there is to be one; `end` is where the transaction ends.
    pub(crate) fn end(&mut self, info: &TransactionInfo, end: Lsn, out: &mut Output) {
        if let (Some(metadata), Some(xid)) = (&mut self.metadata, info.xid) {
            out.records.push(metadata.end(xid, info, end, &mut self.chunk));
        }
    }

    /// Makes the records of one message; returns how many events it was.
    ///
    /// # Errors
    /// When the message is malformed. A value that cannot be read rejects its record only.
    pub(crate) fn message(
        &mut self,
        info: &TransactionInfo,
        index: u64,
        lsn: Lsn,
        payload: &Bytes,
        out: &mut Output,
    ) -> Result<u64, SourceError> {
        let place = Place {
            lsn,
            commit_micros: info.commit_micros,
            xid: info.xid,
            last_commit: info.last_commit,
            origin: info.origin.as_ref(),
            event: EventPosition {
                epoch: self.epoch,
                commit: info.commit.as_u64(),
                index,
                count: info.count,
            },
        };
        out.bytes += payload.len();
        self.misfit = false;
        match pgoutput::decode(payload, false).map_err(ReplicationError::from)? {
            Message::Insert(insert) => self.insert(&place, payload, &insert, out),
            Message::Update(update) => self.update(&place, payload, &update, out),
            Message::Delete(delete) => self.delete(&place, payload, &delete, out),
            Message::Truncate(truncate) if !self.skipped.truncate => {
                for id in &truncate.relation_ids {
                    if let Some(table) = self.tables.get(id).cloned() {
                        let change = self.change(&table, &place, Operation::Truncate, None, None);
                        out.records.push(self.record(&table, &place, Datum::NULL, change));
                    }
                }
                Ok(1)
            }
            Message::Message(message) => {
                let record = self.logical_message(&place, message);
                out.records.push(record);
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    fn logical_message(&mut self, place: &Place<'_>, message: LogicalMessage) -> Record {
        let transaction = self.transaction(place, messages::COLLECTION);
        let source = self.source.values(&ByteString::new(), &ByteString::new(), place, &mut self.chunk);
        let mut record = self.messages.record(message, source, transaction, self.now, &mut self.chunk);
        record.origin = origin(place, Operation::Message);
        record
    }

    fn table(&self, id: u32) -> Result<Arc<Table>, SourceError> {
        let unknown =
            || SourceError::Stream { what: format!("a change of relation {id} before its description") };
        self.tables.get(&id).cloned().ok_or_else(unknown)
    }

    fn insert(
        &mut self,
        place: &Place<'_>,
        whole: &Bytes,
        insert: &Insert,
        out: &mut Output,
    ) -> Result<u64, SourceError> {
        let table = self.table(insert.relation_id)?;
        match self.full_row(&table, whole, &insert.new, None) {
            Ok(row) => {
                let key = self.key_of(&table, &row);
                let change = self.change(&table, place, Operation::Create, None, Some(row));
                out.records.push(self.record(&table, place, key, change));
            }
            Err(error) => self.reject(&table, place, Operation::Create, error, out),
        }
        Ok(1)
    }

    fn update(
        &mut self,
        place: &Place<'_>,
        whole: &Bytes,
        update: &Update,
        out: &mut Output,
    ) -> Result<u64, SourceError> {
        let table = self.table(update.relation_id)?;
        let moves = key_changed(&table, update, whole, &mut self.chunk);
        let before = update.old.as_ref().map(|old| self.old_row(&table, whole, old)).transpose();
        let rows = before
            .and_then(|before| Ok((before, self.full_row(&table, whole, &update.new, update.old.as_ref())?)));
        let (before, after) = match rows {
            Ok(rows) => rows,
            Err(error) => {
                self.reject(&table, place, Operation::Update, error, out);
                return Ok(1 + u64::from(moves));
            }
        };
        match before {
            Some(before) if moves => {
                self.move_row(&table, place, before, after, out);
                Ok(2)
            }
            before => {
                let key = self.key_of(&table, &after);
                let change = self.change(&table, place, Operation::Update, before, Some(after));
                out.records.push(self.record(&table, place, key, change));
                Ok(1)
            }
        }
    }

    /// A change of key is a delete under the old key and a create under the new one, each left out if its operation is
    /// skipped.
    ///
    /// Unless the replica identity is FULL, a large value that did not change is unavailable in the create, as it is in
    /// Debezium's; a sink that knows the row by its new key only must refuse it.
    fn move_row(
        &mut self,
        table: &Arc<Table>,
        place: &Place<'_>,
        before: Vec<Value>,
        after: Vec<Value>,
        out: &mut Output,
    ) {
        let (old_key, new_key) = (self.key_of(table, &before), self.key_of(table, &after));
        if !self.skipped.delete {
            let change = self.change(table, place, Operation::Delete, Some(before), None);
            let mut delete = self.record(table, place, old_key.clone(), change);
            delete.headers = self.headers_with(NEW_KEY, new_key.clone());
            self.push_delete(delete, out);
        }
        if !self.skipped.create {
            let mut second = place.clone();
            second.event.index += 1;
            let change = self.change(table, &second, Operation::Create, None, Some(after));
            let mut create = self.record(table, &second, new_key, change);
            create.headers = self.headers_with(OLD_KEY, old_key);
            out.records.push(create);
        }
    }

    fn delete(
        &mut self,
        place: &Place<'_>,
        whole: &Bytes,
        delete: &Delete,
        out: &mut Output,
    ) -> Result<u64, SourceError> {
        let table = self.table(delete.relation_id)?;
        match self.old_row(&table, whole, &delete.old) {
            Ok(before) => {
                let key = self.key_of(&table, &before);
                let change = self.change(&table, place, Operation::Delete, Some(before), None);
                let record = self.record(&table, place, key, change);
                self.push_delete(record, out);
            }
            Err(error) => self.reject(&table, place, Operation::Delete, error, out),
        }
        Ok(1)
    }

    fn push_delete(&self, record: Record, out: &mut Output) {
        let tombstone = self.tombstones.then(|| Record { value: Payload::TOMBSTONE, ..record.clone() });
        out.records.push(record);
        out.records.extend(tombstone);
    }

    /// Makes the record of a snapshot's row.
    pub(crate) fn read(
        &mut self,
        table: &Arc<Table>,
        place: &Place<'_>,
        marker: Value,
        row: Result<Vec<Value>, SourceError>,
        out: &mut Output,
    ) {
        match row {
            Ok(mut row) => {
                for column in &table.key_only {
                    if let Some(invented) = &column.snapshot {
                        row[column.place] = invented.clone();
                    }
                }
                let key = self.key_of(table, &row);
                let mut change = self.change(table, place, Operation::Read, None, Some(row));
                change.source[SNAPSHOT_FIELD] = marker;
                out.records.push(self.record(table, place, key, change));
            }
            Err(error) => self.reject(table, place, Operation::Read, error, out),
        }
        self.misfit = false;
    }

    fn change(
        &mut self,
        table: &Arc<Table>,
        place: &Place<'_>,
        operation: Operation,
        mut before: Option<Vec<Value>>,
        mut after: Option<Vec<Value>>,
    ) -> Change {
        for column in &table.key_only {
            before.iter_mut().chain(&mut after).for_each(|row| drop(row.remove(column.place)));
        }
        let schema = self.schema_of(table, [before.as_deref(), after.as_deref()]);
        for (place, mask) in &table.masks {
            before.iter_mut().chain(&mut after).for_each(|row| mask.apply(&mut row[*place]));
        }
        let transaction = match operation {
            // A row of a snapshot is in no transaction of its own.
            Operation::Read => None,
            _ => self.transaction(place, &table.qualified),
        };
        Change {
            schema,
            operation,
            before,
            after,
            source: self.source.values(&table.schema_name, &table.table_name, place, &mut self.chunk),
            transaction,
            timestamp_ns: Some(self.now),
        }
    }

    /// Counts an event of a data collection in its transaction, if that is asked for and it is in one.
    fn transaction(&mut self, place: &Place<'_>, collection: &str) -> Option<TransactionBlock> {
        let metadata = self.metadata.as_mut()?;
        Some(metadata.event(place.xid?, place.lsn, collection, &mut self.chunk))
    }

    fn record(&self, table: &Table, place: &Place<'_>, key: Datum, change: Change) -> Record {
        let operation = change.operation;
        let mut record = Record::new(Arc::clone(&table.topic), key, Payload::Change(change));
        record.headers = Headers::shared(Arc::clone(&self.headers));
        record.origin = origin(place, operation);
        record
    }

    fn reject(
        &self,
        table: &Table,
        place: &Place<'_>,
        operation: Operation,
        error: SourceError,
        out: &mut Output,
    ) {
        let mut record = Record::new(Arc::clone(&table.topic), Datum::NULL, Payload::TOMBSTONE);
        record.headers = Headers::shared(Arc::clone(&self.headers));
        record.origin = origin(place, operation);
        out.rejected.push((record, error.into()));
    }

    /// The header comes before the others, as in Debezium.
    fn headers_with(&self, name: &'static str, key: Datum) -> Headers {
        let mut headers = Headers::default();
        headers.push(name, key);
        self.headers.iter().for_each(|header| headers.push(Arc::clone(&header.key), header.value.clone()));
        headers
    }
}

fn origin(place: &Place<'_>, operation: Operation) -> Origin {
    Origin { event: Some(place.event), operation: Some(operation), ..Origin::default() }
}

fn context_headers(config: &PostgresConfig, run: Uuid) -> Arc<[Header]> {
    if !config.extended_headers {
        return Arc::default();
    }
    let schema = Schema::new(Kind::String).shared();
    let header = |name: &str, value: Value| Header {
        key: format!("__debezium.context.{name}").into(),
        value: Datum::new(Arc::clone(&schema), value),
    };
    Arc::from([
        header("connectorLogicalName", config.topic_prefix.as_str().into()),
        header("taskId", Value::from_static("0")),
        header("connectorName", Value::from_static(CONNECTOR)),
        header("runId", run.to_string().into()),
    ])
}
