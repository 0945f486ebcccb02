//! Ids that somebody else knows.

use tests::server::RedisServer;

use crate::{Instance, Visitor};

#[tokio::test]
async fn a_login_gets_another_id_and_the_old_one_is_nobodys() {
    let server = RedisServer::start().await;
    let instance = Instance::on(&server).await;
    let mut victim = Visitor::default();
    assert_eq!(victim.count(&instance).await, "1");
    let mut attacker = victim.clone();
    victim.post(&instance, "/login/alice").await;
    assert_ne!(victim.cookie, attacker.cookie);
    assert_eq!(victim.name(&instance).await, "alice");
    assert_eq!(
        victim.count(&instance).await,
        "2",
        "what was there is there"
    );
    assert_eq!(attacker.name(&instance).await, "nobody");
    assert_eq!(attacker.cookie, None);
}

#[tokio::test]
async fn an_id_that_was_made_up_becomes_no_session() {
    let server = RedisServer::start().await;
    let instance = Instance::on(&server).await;
    let made_up = Visitor {
        cookie: Some("id=AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
    };
    let mut visitor = made_up.clone();
    assert_eq!(visitor.count(&instance).await, "1");
    assert_ne!(visitor.cookie, made_up.cookie);
}
