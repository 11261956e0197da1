//! What the settings promise.

use super::*;

fn load(flags: &[(&str, &str)], env: &[(&str, &str)], file: &str) -> Result<Config, ConfigError> {
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let file = Some(("vitrina.toml".into(), file.to_owned()));
    Config::load(&Given { flags: own(flags), env: own(env), file }).map(|(config, _)| config)
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let (file, env, flag) =
        ("listen = \"1.1.1.1:1\"", ("VITRINA_LISTEN", "2.2.2.2:2"), ("listen", "3.3.3.3:3"));
    assert_eq!(load(&[], &[], "").unwrap().listen.port(), 8080);
    assert_eq!(load(&[], &[], file).unwrap().listen.port(), 1);
    assert_eq!(load(&[], &[env], file).unwrap().listen.port(), 2);
    assert_eq!(load(&[flag], &[env], file).unwrap().listen.port(), 3);
}

#[test]
fn a_typo_is_an_error_that_names_the_key() {
    let in_file = load(&[], &[], "listn = 1").unwrap_err().to_string();
    assert!(in_file.contains("listn") && in_file.contains("vitrina.toml"), "{in_file}");
    let in_env = load(&[], &[("VITRINA_LISTN", "x")], "").unwrap_err().to_string();
    assert!(in_env.contains("VITRINA_LISTN"), "{in_env}");
    let hinted = load(&[], &[], "log = 1").unwrap_err().to_string();
    assert!(hinted.contains("log_format"), "{hinted}");
}

#[test]
fn jobs_leave_most_open_sites_to_visitors() {
    let at_once = |flags: &[(&str, &str)]| load(flags, &[], "").unwrap().jobs_at_once();
    assert_eq!(at_once(&[]), (4, 1));
    assert_eq!(at_once(&[("jobs_light", "0"), ("jobs_heavy", "9999999")]), (0, 64));
    assert_eq!(at_once(&[("open_tenants", "8"), ("jobs_heavy", "3")]), (2, 2));
    assert_eq!(at_once(&[("open_tenants", "1")]), (1, 1));
}

#[test]
fn a_bad_value_names_its_key_and_its_origin() {
    let cases = [
        ("listen", "nowhere"),
        ("public_url", "media.example"),
        ("public_url", "https://media.example/path"),
        ("trusted_proxies", "10.0.0.0/8, proxy"),
        ("image_memory_mb", "-1"),
        ("log_format", "xml"),
        ("data", ""),
    ];
    for (key, value) in cases {
        let error = load(&[(key, value)], &[], "").unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("flag --"), "{error}");
    }
}

#[test]
fn variables_that_others_read_are_none_of_ours() {
    let env = [
        ("VITRINA_PORT", "tcp://10.0.0.1:80"),
        ("VITRINA_SERVICE_HOST", "10.0.0.1"),
        ("VITRINA_SERVER", "https://media.example"),
        ("VITRINA_TOKEN", "vk_x"),
    ];
    assert!(load(&[], &env, "").is_ok());
}

#[test]
fn secrets_are_not_shown() {
    let env = vec![("VITRINA_SECRET_KEY".to_owned(), "hush".to_owned())];
    let (config, shown) = Config::load(&Given { env, ..Given::default() }).unwrap();
    assert!(!format!("{config:?}{shown:?}").contains("hush"));
}

#[test]
fn lists_may_be_lists_in_the_file() {
    let config = load(&[], &[], "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]").unwrap();
    assert_eq!(config.trusted_proxies.show(), "10.0.0.0/8,::1/128");
}

#[test]
fn the_example_file_is_the_default() {
    let path = "packaging/config.example.toml";
    if std::env::vars().any(|(name, _)| name == "UPDATE") {
        std::fs::write(path, example()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), example(), "run the tests with UPDATE=1");
    let given = Given { file: Some((path.into(), example())), ..Given::default() };
    let (_, shown) = Config::load(&given).unwrap();
    let (_, defaults) = Config::load(&Given::default()).unwrap();
    let values = |shown: Vec<Shown>| shown.into_iter().map(|s| s.value).collect::<Vec<_>>();
    assert_eq!(values(shown), values(defaults));
}
