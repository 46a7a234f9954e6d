//! Where to look, and how to download. Variables of the environment are those of torch and of `huggingface_hub`.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// Where torchvision's files are.
const TORCHVISION: &str = "https://download.pytorch.org/models";
/// Where the hub is.
const HUGGING_FACE: &str = "https://huggingface.co";

/// When to give up.
#[derive(Debug, Clone)]
pub struct Limits {
    /// To reach a server.
    pub connect: Duration,
    /// Without a byte from a server, or with fewer than [`slowest`](Self::slowest) a second on average.
    pub stall: Duration,
    /// Bytes a second.
    pub slowest: u64,
    /// Bytes of a file, where nothing says how long it is.
    pub largest: u64,
    /// How often in a row to try without getting on.
    pub attempts: u32,
    /// Before the second try; twice as long before each further one.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            slowest: 1 << 10,
            largest: 4 << 30,
            attempts: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// Where to look for weights, and where to download them from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Wellfit's own folder of weights; none if the user has no home, and then nothing is downloaded.
    pub cache: Option<PathBuf>,
    /// torch's folder of downloads, `$TORCH_HOME/hub/checkpoints`.
    pub torch: Option<PathBuf>,
    /// Hugging Face's cache of models, `$HF_HUB_CACHE`.
    pub hub: Option<PathBuf>,
    /// What forbids downloads, as a user knows it; none if they are allowed.
    pub offline: Option<String>,
    /// The same for the hub alone.
    pub hub_offline: Option<String>,
    /// The address of the folder of torchvision's files.
    pub torchvision_url: String,
    /// The address of the hub.
    pub hub_url: String,
    /// The token for the hub; no other server gets it.
    pub token: Option<String>,
    /// Whether the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`, …) are used.
    pub proxies: bool,
    /// When to give up.
    pub limits: Limits,
}

impl Settings {
    /// From the environment; `cache` is Wellfit's folder of weights, `offline` whether the user forbade downloads.
    #[must_use]
    pub fn from_env(cache: Option<PathBuf>, offline: bool) -> Self {
        Self::from_variables(cache, offline, &|name| env::var_os(name)?.into_string().ok())
    }

    /// Whether the environment says only what is understood; called before anything is done, for a switch that is not
    /// understood is not off.
    ///
    /// # Errors
    /// The variable, its value, and what it can be.
    pub fn check_env() -> Result<(), String> {
        Self::check_variables(&|name| Some(env::var_os(name)?.to_string_lossy().into_owned()))
    }

    fn check_variables(variable: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
        let given =
            |name| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        for name in ["WELLFIT_OFFLINE", "HF_HUB_OFFLINE"] {
            if let Some(value) = given(name).filter(|value| !is_true(value) && !is_false(value)) {
                return Err(format!("{name}: `{value}` is neither 1 nor 0"));
            }
        }
        for name in ["WELLFIT_WEIGHTS_URL", "HF_ENDPOINT", "WELLFIT_FASHION_MNIST_URL"] {
            let is_address =
                |value: &str| ["http://", "https://"].iter().any(|start| value.starts_with(start));
            if let Some(value) = given(name).filter(|value| !is_address(value)) {
                return Err(format!(
                    "{name}: `{value}` is no address, which begins with https:// or http://"
                ));
            }
        }
        match given("HF_HUB_DOWNLOAD_TIMEOUT") {
            Some(value) if value.parse::<u64>().is_err() => {
                Err(format!("HF_HUB_DOWNLOAD_TIMEOUT: `{value}` is no number of seconds"))
            }
            _ => Ok(()),
        }
    }

    fn from_variables(
        cache: Option<PathBuf>,
        offline: bool,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let folder = |name: &str| given(name).map(|path| untilde(&path));
        let address = |name: &str, usual: &str| {
            given(name).unwrap_or_else(|| usual.to_owned()).trim().trim_end_matches('/').to_owned()
        };
        let on = |name: &str| {
            let is_on = given(name).is_some_and(|value| is_true(value.trim()));
            is_on.then(|| name.to_owned())
        };
        let cached = folder("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache")));
        let torch = folder("TORCH_HOME").or_else(|| Some(cached.clone()?.join("torch")));
        let home = folder("HF_HOME").or_else(|| Some(cached?.join("huggingface")));
        let hub = folder("HF_HUB_CACHE").or_else(|| folder("HUGGINGFACE_HUB_CACHE"));
        let mut limits = Limits::default();
        if let Some(seconds) = given("HF_HUB_DOWNLOAD_TIMEOUT").and_then(|value| value.trim().parse().ok())
            && seconds > 0
        {
            limits.stall = Duration::from_secs(seconds);
        }
        let flag = offline.then(|| "`offline`".to_owned());
        Self {
            cache,
            torch: torch.map(|torch| torch.join("hub").join("checkpoints")),
            hub: hub.or_else(|| Some(home?.join("hub"))),
            offline: flag.or_else(|| on("WELLFIT_OFFLINE")),
            hub_offline: on("HF_HUB_OFFLINE"),
            torchvision_url: address("WELLFIT_WEIGHTS_URL", TORCHVISION),
            hub_url: address("HF_ENDPOINT", HUGGING_FACE),
            token: given("HF_TOKEN").map(|token| token.trim().to_owned()),
            proxies: true,
            limits,
        }
    }
}

/// As `huggingface_hub` reads its switches.
fn is_true(value: &str) -> bool {
    ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str())
}

/// What turns such a switch off.
fn is_false(value: &str) -> bool {
    ["0", "OFF", "NO", "FALSE"].contains(&value.to_uppercase().as_str())
}

/// `~/x` is in the user's home, as torch and `huggingface_hub` have it.
fn untilde(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::from_variables(None, false, &|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_value_that_means_nothing_is_no_value() {
        let check = |name: &'static str, value: &'static str| {
            Settings::check_variables(&|asked| (asked == name).then(|| value.to_owned()))
        };
        for (name, value) in [
            ("WELLFIT_OFFLINE", "maybe"),
            ("HF_HUB_OFFLINE", "2"),
            ("WELLFIT_WEIGHTS_URL", "file:///etc"),
            ("HF_ENDPOINT", "\u{1b}[31m"),
            ("HF_HUB_DOWNLOAD_TIMEOUT", "ten"),
        ] {
            let problem = check(name, value).unwrap_err();
            assert!(problem.starts_with(&format!("{name}: `{value}` is n")), "{problem}");
            assert_eq!(check(name, " "), Ok(()));
        }
        for (name, value) in
            [("WELLFIT_OFFLINE", "no"), ("HF_HUB_OFFLINE", "True"), ("HF_ENDPOINT", "https://mirror/")]
        {
            assert_eq!(check(name, value), Ok(()));
        }
    }

    #[test]
    fn variables_are_those_of_torch_and_hugging_face() {
        let set = settings(&[("TORCH_HOME", "/t"), ("HF_HOME", "/h"), ("HF_ENDPOINT", "https://mirror/")]);
        assert_eq!(set.torch.as_deref(), Some(Path::new("/t/hub/checkpoints")));
        assert_eq!(set.hub.as_deref(), Some(Path::new("/h/hub")));
        assert_eq!((set.hub_url.as_str(), set.torchvision_url.as_str()), ("https://mirror", TORCHVISION));
        assert_eq!((set.offline, set.hub_offline, set.token), (None, None, None));
        let set = settings(&[
            ("XDG_CACHE_HOME", "/x"),
            ("HF_HUB_CACHE", "/c"),
            ("HF_HUB_OFFLINE", "yes"),
            ("WELLFIT_OFFLINE", "1"),
            ("HF_TOKEN", " hf_x\n"),
            ("HF_HUB_DOWNLOAD_TIMEOUT", "7"),
        ]);
        assert_eq!(set.torch.as_deref(), Some(Path::new("/x/torch/hub/checkpoints")));
        assert_eq!(set.hub.as_deref(), Some(Path::new("/c")));
        assert_eq!(set.offline.as_deref(), Some("WELLFIT_OFFLINE"));
        assert_eq!(set.hub_offline.as_deref(), Some("HF_HUB_OFFLINE"));
        assert_eq!(set.token.as_deref(), Some("hf_x"));
        assert_eq!(set.limits.stall, Duration::from_secs(7));
        assert_eq!(
            settings(&[("XDG_CACHE_HOME", "/x")]).hub.as_deref(),
            Some(Path::new("/x/huggingface/hub"))
        );
        assert_eq!(settings(&[("WELLFIT_OFFLINE", "0"), ("HF_HUB_OFFLINE", "")]).offline, None);
    }
}
