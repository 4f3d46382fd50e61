//! Applies `postgres-init/` to a server: the same files, in the same order, as the Docker image does.

use anyhow::Context;
use tokio_postgres::{Client, Config};

use crate::postgres::connect_to;

/// The files of `postgres-init/` in their order: name and content.
pub const FILES: [(&str, &str); 6] = [
    ("001-roles.sql", include_str!("../../postgres-init/001-roles.sql")),
    ("002-development-passwords.sql", include_str!("../../postgres-init/002-development-passwords.sql")),
    ("003-users-table.sql", include_str!("../../postgres-init/003-users-table.sql")),
    ("004-privileges.sql", include_str!("../../postgres-init/004-privileges.sql")),
    ("005-publication.sql", include_str!("../../postgres-init/005-publication.sql")),
    ("006-pipeline-tables.sql", include_str!("../../postgres-init/006-pipeline-tables.sql")),
];

/// Key of the advisory lock that keeps two `init`s of one cluster apart; any constant does.
const LOCK: i64 = 0x0053_4c55_4943_4521;

/// Creates the database that `settings` names if it is missing, and applies [`FILES`] to it.
///
/// Roles belong to the whole cluster and the files may have been applied before: both are fine. Several callers at
/// once take turns, because Postgres refuses concurrent changes of one role.
///
/// # Errors
///
/// The connection string names no database, the server refuses, or a file fails; the file is named.
pub async fn init(settings: &str) -> anyhow::Result<()> {
    let config: Config = settings.parse().context("parse the Postgres connection string")?;
    let database = config.get_dbname().context("the Postgres connection string names no `dbname`")?;
    let maintenance = connect_to(config.clone().dbname("postgres")).await?;
    maintenance.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await.context("take the lock of init")?;

    create_database(&maintenance, database).await?;
    apply_files(&connect_to(&config).await?).await
    // Dropping the maintenance connection gives the lock back.
}

/// Creates the database of Airflow's metadata, `airflow`, if it is missing: what `postgres-init/007-airflow-database.sh`
/// does in the Docker image. [`init`] must have made the role of that name, which becomes the owner.
///
/// # Errors
///
/// The connection string is wrong, or the server refuses.
pub async fn create_airflow_database(settings: &str) -> anyhow::Result<()> {
    let mut config: Config = settings.parse().context("parse the Postgres connection string")?;
    let maintenance = connect_to(config.dbname("postgres")).await?;
    maintenance.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await.context("take the lock of init")?;

    create_database(&maintenance, "airflow").await?;
    let statements = "ALTER DATABASE airflow OWNER TO airflow; REVOKE ALL ON DATABASE airflow FROM PUBLIC";
    maintenance.batch_execute(statements).await.context("give database `airflow` to its role")
}

async fn create_database(maintenance: &Client, database: &str) -> anyhow::Result<()> {
    let exists = maintenance
        .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&database])
        .await
        .context("look for the database")?;
    if exists.is_none() {
        let statement = format!("CREATE DATABASE {}", crate::quote(database));
        maintenance
            .batch_execute(&statement)
            .await
            .with_context(|| format!("create database `{database}`"))?;
    }
    Ok(())
}

async fn apply_files(client: &Client) -> anyhow::Result<()> {
    for (name, sql) in FILES {
        client.batch_execute(sql).await.with_context(|| format!("apply postgres-init/{name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_applied_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../postgres-init");

        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        names.sort();

        assert_eq!(names, FILES.map(|(name, _)| name));
    }

    #[test]
    fn passwords_stand_in_one_file_only() {
        let with_password: Vec<_> =
            FILES.iter().filter(|(_, sql)| sql.contains("PASSWORD '")).map(|(name, _)| *name).collect();

        assert_eq!(with_password, ["002-development-passwords.sql"]);
    }
}
