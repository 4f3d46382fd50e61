//! The list of connectors, transforms and predicates, and the twins that the engine holds.
//!
//! Authors implement the typed traits; one blanket impl each turns them into object-safe ones. Boxes
//! appear at batch edges only.

use std::{future::Future, pin::Pin, sync::Arc};

use serde_json::Value as Json;

use crate::{
    checkpoint::Checkpoint,
    config::{Config, Definition, Fault, Properties},
    connect_offsets::OffsetMap,
    error::{Classify, Error, ErrorClass},
    record::Record,
    sink::{Flushed, Sink, SinkConnector},
    source::{Batch, Imported, Source, SourceConnector, TaskContext},
    transform::{Predicate, PredicateFactory, Transform, TransformFactory},
};

/// A boxed future, one per call and batch.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A [`Source`] with its position as JSON.
pub trait DynSource: Send {
    /// See [`Source::next_batch`].
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch<Json>>, Error>>;
    /// See [`Source::acknowledge`].
    fn acknowledge<'a>(&'a mut self, position: &'a Json) -> BoxFuture<'a, Result<(), Error>>;
    /// See [`Source::close`].
    fn close(&mut self) -> BoxFuture<'_, Result<(), Error>>;
}

/// A [`Sink`] behind a pointer.
pub trait DynSink: Send {
    /// See [`Sink::write`].
    fn write<'a>(&'a mut self, batch: &'a [Record]) -> BoxFuture<'a, Result<(), Error>>;
    /// See [`Sink::flush`].
    fn flush<'a>(&'a mut self, checkpoint: Option<&'a Checkpoint>) -> BoxFuture<'a, Result<Flushed, Error>>;
    /// See [`Sink::close`].
    fn close(&mut self) -> BoxFuture<'_, Result<(), Error>>;
}

/// What any kind of plugin tells about itself.
pub trait Plugin: Send + Sync {
    /// Our name or the well-known class name.
    fn name(&self) -> &'static str;
    /// Other names it answers to.
    fn aliases(&self) -> &'static [&'static str];
    /// Its properties, with those that it knows and does not obey.
    fn definitions(&self) -> Vec<Definition>;
    /// Finds what is wrong with a configuration, without I/O. Keys it does not know are left to others.
    fn validate(&self, properties: &Properties) -> Vec<Fault>;
}

/// A [`SourceConnector`] behind a pointer.
pub trait DynSourceConnector: Plugin {
    /// See [`SourceConnector::check`].
    fn check<'a>(&'a self, properties: &'a Properties) -> BoxFuture<'a, Vec<Fault>>;
    /// See [`SourceConnector::open`].
    fn open<'a>(
        &'a self,
        properties: &'a Properties,
        context: TaskContext,
        position: Option<Json>,
    ) -> BoxFuture<'a, Result<Box<dyn DynSource>, Error>>;
    /// See [`SourceConnector::offset_partition`].
    ///
    /// # Errors
    /// When the properties do not parse.
    fn offset_partition(&self, properties: &Properties) -> Result<Option<OffsetMap>, Error>;
    /// See [`SourceConnector::import_offset`].
    fn import_offset<'a>(
        &'a self,
        properties: &'a Properties,
        offset: &'a OffsetMap,
    ) -> BoxFuture<'a, Result<Imported<Json>, Error>>;
    /// See [`SourceConnector::export_offset`].
    ///
    /// # Errors
    /// As there, and when the position is not one of this source.
    fn export_offset(&self, position: Json) -> Result<OffsetMap, Error>;
}

/// A [`SinkConnector`] behind a pointer.
pub trait DynSinkConnector: Plugin {
    /// See [`SinkConnector::check`].
    fn check<'a>(&'a self, properties: &'a Properties) -> BoxFuture<'a, Vec<Fault>>;
    /// See [`SinkConnector::open`].
    fn open<'a>(
        &'a self,
        properties: &'a Properties,
        context: TaskContext,
    ) -> BoxFuture<'a, Result<Box<dyn DynSink>, Error>>;
}

/// A [`TransformFactory`] behind a pointer.
pub trait DynTransformFactory: Plugin {
    /// See [`TransformFactory::build`].
    ///
    /// # Errors
    /// The faults, with property names relative to the transform's prefix.
    fn build(&self, properties: &Properties) -> Result<Arc<dyn Transform>, Vec<Fault>>;
}

/// A [`PredicateFactory`] behind a pointer.
pub trait DynPredicateFactory: Plugin {
    /// See [`PredicateFactory::build`].
    ///
    /// # Errors
    /// The faults, with property names relative to the predicate's prefix.
    fn build(&self, properties: &Properties) -> Result<Arc<dyn Predicate>, Vec<Fault>>;
}

/// A configuration with faults, or a position of another connector.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The properties do not parse.
    #[error("invalid configuration: {}", join(.0))]
    Config(Vec<Fault>),
    /// The saved position is not one of this source.
    #[error("saved position is not one of this source")]
    Position(#[source] serde_json::Error),
}

fn join(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

impl Classify for OpenError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Stop
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "config.invalid",
            Self::Position(_) => "checkpoint.foreign_position",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Config(_) => "run `sluice validate FILE` for the whole list".to_owned(),
            Self::Position(_) => {
                "the name of the connector was used by another kind of connector: rename it".to_owned()
            }
        })
    }
}

impl<S: Source> DynSource for S {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch<Json>>, Error>> {
        Box::pin(async move {
            let Some(batch) = Source::next_batch(self).await? else { return Ok(None) };
            let position =
                batch.position.map(serde_json::to_value).transpose().map_err(OpenError::Position)?;
            Ok(Some(Batch { records: batch.records, rejected: batch.rejected, position, bytes: batch.bytes }))
        })
    }

    fn acknowledge<'a>(&'a mut self, position: &'a Json) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let position = serde_json::from_value(position.clone()).map_err(OpenError::Position)?;
            Source::acknowledge(self, &position).await
        })
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Source::close(self))
    }
}

impl<S: Sink> DynSink for S {
    fn write<'a>(&'a mut self, batch: &'a [Record]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(Sink::write(self, batch))
    }

    fn flush<'a>(&'a mut self, checkpoint: Option<&'a Checkpoint>) -> BoxFuture<'a, Result<Flushed, Error>> {
        Box::pin(Sink::flush(self, checkpoint))
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Sink::close(self))
    }
}

fn parse<C: Config>(properties: &Properties) -> Result<C, OpenError> {
    C::from_properties(properties).map_err(OpenError::Config)
}

fn validate<C: Config>(properties: &Properties, contradictions: impl FnOnce(C) -> Vec<Fault>) -> Vec<Fault> {
    C::from_properties(properties).map_or_else(|faults| faults, contradictions)
}

/// Makes the wrapper that carries a typed plugin into its erased twin, with what all plugins tell.
macro_rules! erased {
    ($wrapper:ident, $trait:ident, $aliases:expr, $unobeyed:expr, $plugin:ident, $config:ident => $contradictions:expr) => {
        struct $wrapper<T>(T);

        impl<T: $trait> Plugin for $wrapper<T> {
            fn name(&self) -> &'static str {
                T::NAME
            }

            fn aliases(&self) -> &'static [&'static str] {
                $aliases
            }

            fn definitions(&self) -> Vec<Definition> {
                let mut definitions = T::Config::definitions();
                definitions.extend_from_slice($unobeyed);
                definitions
            }

            fn validate(&self, properties: &Properties) -> Vec<Fault> {
                let $plugin = &self.0;
                validate::<T::Config>(properties, |$config| $contradictions)
            }
        }
    };
}

erased!(ErasedSource, SourceConnector, T::ALIASES, T::UNOBEYED, source, config => source.validate(&config));
erased!(ErasedSink, SinkConnector, T::ALIASES, &[], sink, config => sink.validate(&config));
erased!(ErasedTransform, TransformFactory, &[], &[], factory, config => factory.build(config).err().unwrap_or_default());
erased!(ErasedPredicate, PredicateFactory, &[], &[], factory, config => factory.build(config).err().unwrap_or_default());

impl<T: SourceConnector> DynSourceConnector for ErasedSource<T> {
    fn check<'a>(&'a self, properties: &'a Properties) -> BoxFuture<'a, Vec<Fault>> {
        Box::pin(async move {
            match T::Config::from_properties(properties) {
                Ok(config) => self.0.check(config).await,
                Err(faults) => faults,
            }
        })
    }

    fn open<'a>(
        &'a self,
        properties: &'a Properties,
        context: TaskContext,
        position: Option<Json>,
    ) -> BoxFuture<'a, Result<Box<dyn DynSource>, Error>> {
        Box::pin(async move {
            let position = position.map(serde_json::from_value).transpose().map_err(OpenError::Position)?;
            let source = self.0.open(parse(properties)?, context, position).await?;
            Ok(Box::new(source) as Box<dyn DynSource>)
        })
    }

    fn offset_partition(&self, properties: &Properties) -> Result<Option<OffsetMap>, Error> {
        Ok(self.0.offset_partition(&parse(properties)?))
    }

    fn import_offset<'a>(
        &'a self,
        properties: &'a Properties,
        offset: &'a OffsetMap,
    ) -> BoxFuture<'a, Result<Imported<Json>, Error>> {
        Box::pin(async move {
            let imported = self.0.import_offset(parse(properties)?, offset).await?;
            let position = imported.position.map(serde_json::to_value).transpose();
            Ok(Imported { position: position.map_err(OpenError::Position)?, meaning: imported.meaning })
        })
    }

    fn export_offset(&self, position: Json) -> Result<OffsetMap, Error> {
        self.0.export_offset(&serde_json::from_value(position).map_err(OpenError::Position)?)
    }
}

impl<T: SinkConnector> DynSinkConnector for ErasedSink<T> {
    fn check<'a>(&'a self, properties: &'a Properties) -> BoxFuture<'a, Vec<Fault>> {
        Box::pin(async move {
            match T::Config::from_properties(properties) {
                Ok(config) => self.0.check(config).await,
                Err(faults) => faults,
            }
        })
    }

    fn open<'a>(
        &'a self,
        properties: &'a Properties,
        context: TaskContext,
    ) -> BoxFuture<'a, Result<Box<dyn DynSink>, Error>> {
        Box::pin(async move {
            let sink = self.0.open(parse(properties)?, context).await?;
            Ok(Box::new(sink) as Box<dyn DynSink>)
        })
    }
}

impl<T: TransformFactory> DynTransformFactory for ErasedTransform<T> {
    fn build(&self, properties: &Properties) -> Result<Arc<dyn Transform>, Vec<Fault>> {
        Ok(Arc::new(self.0.build(T::Config::from_properties(properties)?)?))
    }
}

impl<T: PredicateFactory> DynPredicateFactory for ErasedPredicate<T> {
    fn build(&self, properties: &Properties) -> Result<Arc<dyn Predicate>, Vec<Fault>> {
        Ok(Arc::new(self.0.build(T::Config::from_properties(properties)?)?))
    }
}

/// All plugins that a binary has.
#[derive(Default)]
pub struct Registry {
    sources: Vec<Arc<dyn DynSourceConnector>>,
    sinks: Vec<Arc<dyn DynSinkConnector>>,
    transforms: Vec<Arc<dyn DynTransformFactory>>,
    predicates: Vec<Arc<dyn DynPredicateFactory>>,
}

impl Registry {
    /// Adds a source connector.
    #[must_use]
    pub fn source(mut self, connector: impl SourceConnector) -> Self {
        self.sources.push(Arc::new(ErasedSource(connector)));
        self
    }

    /// Adds a sink connector.
    #[must_use]
    pub fn sink(mut self, connector: impl SinkConnector) -> Self {
        self.sinks.push(Arc::new(ErasedSink(connector)));
        self
    }

    /// Adds a transform.
    #[must_use]
    pub fn transform(mut self, factory: impl TransformFactory) -> Self {
        self.transforms.push(Arc::new(ErasedTransform(factory)));
        self
    }

    /// Adds a predicate.
    #[must_use]
    pub fn predicate(mut self, factory: impl PredicateFactory) -> Self {
        self.predicates.push(Arc::new(ErasedPredicate(factory)));
        self
    }

    /// Returns the source connectors in the order they were added.
    pub fn sources(&self) -> &[Arc<dyn DynSourceConnector>] {
        &self.sources
    }

    /// Returns the sink connectors in the order they were added.
    pub fn sinks(&self) -> &[Arc<dyn DynSinkConnector>] {
        &self.sinks
    }

    /// Returns the transforms in the order they were added.
    pub fn transforms(&self) -> &[Arc<dyn DynTransformFactory>] {
        &self.transforms
    }

    /// Returns the predicates in the order they were added.
    pub fn predicates(&self) -> &[Arc<dyn DynPredicateFactory>] {
        &self.predicates
    }
}

/// Finds a plugin by its name, an alias, or the last part of either, as Connect does.
pub fn find<'a, P: Plugin + ?Sized>(plugins: &'a [Arc<P>], class: &str) -> Option<&'a Arc<P>> {
    let simple = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let names = |plugin: &Arc<P>| std::iter::once(plugin.name()).chain(plugin.aliases().iter().copied());
    let exact = plugins.iter().find(|plugin| names(plugin).any(|name| name == class));
    exact.or_else(|| {
        plugins.iter().find(|plugin| names(plugin).any(|name| simple(name).as_deref() == Some(class)))
    })
}
