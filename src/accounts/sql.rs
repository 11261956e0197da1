//! Every statement about people, their sessions and their tokens.

use super::{Role, Scope, Token, User};
use crate::{
    base::{
        Clock, Result,
        clock::Millis,
        ids::{PublicId, SessionId, TokenId, UserId},
        secret::SecretHash,
        text::{Email, Label, Username},
    },
    db::{Read, Write},
    sql,
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

sql! {
    INSERT_USER = "INSERT INTO users (username, email, password_hash, role, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
    USER_BY_ID = "SELECT id, username, email, role, created_at FROM users WHERE id = ?1";
    USER_BY_NAME = "SELECT id, username, email, role, created_at FROM users WHERE username = ?1";
    LOGIN = "SELECT id, password_hash FROM users WHERE username = ?1 OR email = ?1";
    USERNAME_TAKEN = "SELECT 1 FROM users WHERE username = ?1";
    EMAIL_TAKEN = "SELECT 1 FROM users WHERE email = ?1";
    HAS_ADMIN = "SELECT 1 FROM users WHERE role = 'admin' LIMIT 1";

    SET_SETUP = "INSERT INTO setup (id, secret_hash, created_at) VALUES (1, ?1, ?2)
        ON CONFLICT (id) DO UPDATE SET secret_hash = excluded.secret_hash,
                                       created_at = excluded.created_at";
    GET_SETUP = "SELECT secret_hash FROM setup WHERE id = 1";
    CLEAR_SETUP = "DELETE FROM setup";

    INSERT_SESSION = "INSERT INTO sessions
        (user_id, secret_hash, user_agent, address, created_at, last_seen_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)";
    SESSION = "SELECT s.id, s.last_seen_at, u.id, u.username, u.email, u.role, u.created_at
        FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.secret_hash = ?1 AND s.expires_at > ?2";
    RENEW_SESSION = "UPDATE sessions SET last_seen_at = ?2, expires_at = ?3 WHERE id = ?1";
    DELETE_SESSION = "DELETE FROM sessions WHERE id = ?1";
    SWEEP_SESSIONS = "DELETE FROM sessions WHERE expires_at <= ?1";

    INSERT_TOKEN = "INSERT INTO tokens
        (public_id, user_id, name, secret_hash, scopes, created_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    TOKENS_OF = "SELECT public_id, name, scopes, created_at, last_used_at, expires_at
        FROM tokens WHERE user_id = ?1 ORDER BY id DESC";
    TOKEN = "SELECT t.id, t.scopes, t.last_used_at, u.id, u.username, u.email, u.role, u.created_at
        FROM tokens t JOIN users u ON u.id = t.user_id
        WHERE t.secret_hash = ?1 AND (t.expires_at IS NULL OR t.expires_at > ?2)";
    TOUCH_TOKEN = "UPDATE tokens SET last_used_at = ?2 WHERE id = ?1";
    DELETE_TOKEN = "DELETE FROM tokens WHERE user_id = ?1 AND public_id = ?2";
    SWEEP_TOKENS = "DELETE FROM tokens WHERE expires_at <= ?1";
    NEXT_EXPIRY = "SELECT min(at) FROM (SELECT min(expires_at) AS at FROM sessions
        UNION ALL SELECT min(expires_at) FROM tokens
        UNION ALL SELECT min(expires_at) FROM login_links)";

    INSERT_LINK = "INSERT INTO login_links (secret_hash, user_id, expires_at) VALUES (?1, ?2, ?3)";
    TAKE_LINK = "DELETE FROM login_links WHERE secret_hash = ?1 AND expires_at > ?2
        RETURNING user_id";
    SWEEP_LINKS = "DELETE FROM login_links WHERE expires_at <= ?1";
    FIRST_ADMIN = "SELECT id, username, email, role, created_at FROM users WHERE role = 'admin'
        ORDER BY id LIMIT 1";
    SET_PASSWORD = "UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1";
    DELETE_SESSIONS_OF = "DELETE FROM sessions WHERE user_id = ?1";
}

pub(super) fn insert_user(
    db: &Write<Site>,
    username: &Username,
    email: &Email,
    password_hash: &str,
    role: Role,
) -> Result<UserId> {
    db.prepare_cached(INSERT_USER)?.execute(params![
        username,
        email,
        password_hash,
        role.as_str(),
        Clock::now()
    ])?;
    Ok(UserId(db.last_insert_rowid()))
}

pub(super) fn user(db: &Read<Site>, id: UserId) -> Result<Option<User>> {
    Ok(db.prepare_cached(USER_BY_ID)?.query_row([id], |r| read_user(r, 0)).optional()?)
}

pub(super) fn user_named(db: &Read<Site>, name: &str) -> Result<Option<User>> {
    Ok(db.prepare_cached(USER_BY_NAME)?.query_row([name], |r| read_user(r, 0)).optional()?)
}

/// The account behind a name or an address, and the hash of its password.
pub(super) fn login(db: &Read<Site>, login: &str) -> Result<Option<(UserId, String)>> {
    let read = |r: &Row| Ok((r.get(0)?, r.get(1)?));
    Ok(db.prepare_cached(LOGIN)?.query_row([login], read).optional()?)
}

pub(super) fn username_taken(db: &Read<Site>, name: &Username) -> Result<bool> {
    Ok(db.prepare_cached(USERNAME_TAKEN)?.exists([name])?)
}

pub(super) fn email_taken(db: &Read<Site>, email: &Email) -> Result<bool> {
    Ok(db.prepare_cached(EMAIL_TAKEN)?.exists([email])?)
}

pub(super) fn has_admin(db: &Read<Site>) -> Result<bool> {
    Ok(db.prepare_cached(HAS_ADMIN)?.exists([])?)
}

pub(super) fn set_setup(db: &Write<Site>, secret: &SecretHash) -> Result<()> {
    db.prepare_cached(SET_SETUP)?.execute((secret.0, Clock::now()))?;
    Ok(())
}

pub(super) fn setup(db: &Read<Site>) -> Result<Option<SecretHash>> {
    let hash = db.prepare_cached(GET_SETUP)?.query_row([], |r| r.get(0)).optional()?;
    Ok(hash.map(SecretHash))
}

pub(super) fn clear_setup(db: &Write<Site>) -> Result<()> {
    db.prepare_cached(CLEAR_SETUP)?.execute([])?;
    Ok(())
}

/// What is kept about a session beside its secret.
pub(super) struct NewSession {
    pub user: UserId,
    pub secret: SecretHash,
    pub user_agent: Option<String>,
    pub address: Option<String>,
    pub expires_at: Millis,
}

pub(super) fn insert_session(db: &Write<Site>, new: &NewSession) -> Result<()> {
    db.prepare_cached(INSERT_SESSION)?.execute(params![
        new.user,
        new.secret.0,
        new.user_agent,
        new.address,
        Clock::now(),
        new.expires_at
    ])?;
    Ok(())
}

/// The live session behind a secret, when it was last seen, and whose it is.
pub(super) fn session(
    db: &Read<Site>,
    secret: &SecretHash,
) -> Result<Option<(SessionId, Millis, User)>> {
    let read = |r: &Row| Ok((r.get(0)?, r.get(1)?, read_user(r, 2)?));
    Ok(db.prepare_cached(SESSION)?.query_row((secret.0, Clock::now()), read).optional()?)
}

pub(super) fn renew_session(db: &Write<Site>, id: SessionId, expires_at: Millis) -> Result<()> {
    db.prepare_cached(RENEW_SESSION)?.execute((id, Clock::now(), expires_at))?;
    Ok(())
}

pub(super) fn delete_session(db: &Write<Site>, id: SessionId) -> Result<()> {
    db.prepare_cached(DELETE_SESSION)?.execute([id])?;
    Ok(())
}

/// Removes the sessions and tokens whose time is over.
pub(super) fn sweep(db: &Write<Site>) -> Result<()> {
    db.prepare_cached(SWEEP_SESSIONS)?.execute([Clock::now()])?;
    db.prepare_cached(SWEEP_TOKENS)?.execute([Clock::now()])?;
    db.prepare_cached(SWEEP_LINKS)?.execute([Clock::now()])?;
    Ok(())
}

/// When the next thing of these is over.
pub(super) fn next_expiry(db: &Read<Site>) -> Result<Option<Millis>> {
    Ok(db.prepare_cached(NEXT_EXPIRY)?.query_row([], |r| r.get(0))?)
}

pub(super) fn insert_link(
    db: &Write<Site>,
    user: UserId,
    secret: &SecretHash,
    expires_at: Millis,
) -> Result<()> {
    db.prepare_cached(INSERT_LINK)?.execute((secret.0, user, expires_at))?;
    Ok(())
}

/// Whose link this is, if it is good; it is not any more afterwards.
pub(super) fn take_link(db: &Write<Site>, secret: &SecretHash) -> Result<Option<UserId>> {
    let mut statement = db.prepare_cached(TAKE_LINK)?;
    Ok(statement.query_row((secret.0, Clock::now()), |r| r.get(0)).optional()?)
}

pub(super) fn first_admin(db: &Read<Site>) -> Result<Option<User>> {
    Ok(db.prepare_cached(FIRST_ADMIN)?.query_row([], |r| read_user(r, 0)).optional()?)
}

/// Sets a password and ends every session that was opened with the old one.
pub(super) fn set_password(db: &Write<Site>, user: UserId, password_hash: &str) -> Result<()> {
    db.prepare_cached(SET_PASSWORD)?.execute((user, password_hash, Clock::now()))?;
    db.prepare_cached(DELETE_SESSIONS_OF)?.execute([user])?;
    Ok(())
}

pub(super) struct NewToken {
    pub public_id: PublicId,
    pub user: UserId,
    pub name: Label,
    pub secret: SecretHash,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<Millis>,
}

pub(super) fn insert_token(db: &Write<Site>, new: &NewToken) -> Result<Token> {
    let created_at = Clock::now();
    let scopes: Vec<&str> = new.scopes.iter().map(|s| s.as_str()).collect();
    db.prepare_cached(INSERT_TOKEN)?.execute(params![
        new.public_id,
        new.user,
        new.name,
        new.secret.0,
        scopes.join(" "),
        created_at,
        new.expires_at
    ])?;
    Ok(Token {
        id: new.public_id.clone(),
        name: new.name.as_str().to_owned(),
        scopes: new.scopes.clone(),
        created_at,
        last_used_at: None,
        expires_at: new.expires_at,
    })
}

pub(super) fn tokens_of(db: &Read<Site>, user: UserId) -> Result<Vec<Token>> {
    let mut statement = db.prepare_cached(TOKENS_OF)?;
    let tokens = statement.query_map([user], |r| {
        Ok(Token {
            id: r.get(0)?,
            name: r.get(1)?,
            scopes: read_scopes(&r.get::<_, String>(2)?),
            created_at: r.get(3)?,
            last_used_at: r.get(4)?,
            expires_at: r.get(5)?,
        })
    })?;
    Ok(tokens.collect::<rusqlite::Result<_>>()?)
}

/// A token that was just presented.
pub(super) struct Presented {
    pub id: TokenId,
    pub scopes: Vec<Scope>,
    pub last_used_at: Option<Millis>,
    pub user: User,
}

pub(super) fn token(db: &Read<Site>, secret: &SecretHash) -> Result<Option<Presented>> {
    let read = |r: &Row| {
        Ok(Presented {
            id: r.get(0)?,
            scopes: read_scopes(&r.get::<_, String>(1)?),
            last_used_at: r.get(2)?,
            user: read_user(r, 3)?,
        })
    };
    Ok(db.prepare_cached(TOKEN)?.query_row((secret.0, Clock::now()), read).optional()?)
}

pub(super) fn touch_token(db: &Write<Site>, id: TokenId) -> Result<()> {
    db.prepare_cached(TOUCH_TOKEN)?.execute((id, Clock::now()))?;
    Ok(())
}

/// Whether there was such a token.
pub(super) fn delete_token(db: &Write<Site>, user: UserId, id: &PublicId) -> Result<bool> {
    Ok(db.prepare_cached(DELETE_TOKEN)?.execute((user, id))? > 0)
}

fn read_user(r: &Row, from: usize) -> rusqlite::Result<User> {
    let role: String = r.get(from + 3)?;
    Ok(User {
        id: r.get(from)?,
        username: r.get(from + 1)?,
        email: r.get(from + 2)?,
        // The schema admits no other words; should it ever, the least powerful role is meant.
        role: Role::parse(&role).unwrap_or(Role::User),
        created_at: r.get(from + 4)?,
    })
}

/// A scope that this version does not know grants nothing.
fn read_scopes(text: &str) -> Vec<Scope> {
    text.split(' ').filter_map(|word| Scope::parse(word).ok()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
