//! Requests to be erased, as a person would make them: a row that the DAG `users_erase` finds.

use anyhow::{Context, ensure};
use tokio_postgres::Client;
use uuid::Uuid;

/// Picks people, those first who changed most since they came, and asks for their erasure; returns their keys.
///
/// The keys cannot be asked for later: a completed request no longer holds any.
///
/// # Errors
///
/// There are not that many people, or the server refuses.
pub async fn request(client: &Client, people: u32) -> anyhow::Result<Vec<Uuid>> {
    const STATEMENT: &str = "
        INSERT INTO public.erasure_requests (user_id)
        SELECT id FROM public.users AS person
        WHERE NOT EXISTS (SELECT FROM public.erasure_requests AS request WHERE request.user_id = person.id)
        ORDER BY version DESC, id LIMIT $1
        RETURNING user_id::text";
    let rows = client.query(STATEMENT, &[&i64::from(people)]).await.context("ask for erasures")?;
    ensure!(rows.len() == people as usize, "only {} people are there to be erased", rows.len());
    let key = |row: &tokio_postgres::Row| anyhow::Ok(row.try_get::<_, &str>(0)?.parse()?);
    rows.iter().map(key).collect()
}
