//! Providers' public keys (RFC 7517), and what they sign with them (RFC 7518, RFC 8037).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

/// The most keys that are read of a provider.
const MOST_KEYS: usize = 50;

/// A key as a provider publishes it.
#[derive(Debug, Deserialize)]
pub(super) struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// All of them. A key that cannot be read does not spoil the others.
#[derive(Debug, Deserialize)]
pub(super) struct JwkSet {
    keys: Vec<serde_json::Value>,
}

impl JwkSet {
    pub fn keys(self) -> Vec<VerifyKey> {
        self.keys
            .into_iter()
            .take(MOST_KEYS)
            .filter_map(|value| serde_json::from_value(value).ok())
            .filter_map(VerifyKey::new)
            .collect()
    }
}

/// A public key that signatures are verified with.
#[derive(Debug)]
pub(super) struct VerifyKey {
    pub kid: Option<String>,
    alg: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl VerifyKey {
    /// `None` for keys of other kinds or for other uses. Symmetric ones (`oct`) are never taken.
    fn new(jwk: Jwk) -> Option<Self> {
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |text: Option<&String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let point = |length: usize| {
            let (x, y) = (bytes(jwk.x.as_ref())?, bytes(jwk.y.as_ref())?);
            (x.len() == length && y.len() == length).then(|| [&[4][..], &x[..], &y[..]].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { n: bytes(jwk.n.as_ref())?, e: bytes(jwk.e.as_ref())? },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => {
                Material::Ed25519(bytes(jwk.x.as_ref()).filter(|x| x.len() == 32)?)
            }
            _ => return None,
        };
        Some(Self { kid: jwk.kid, alg: jwk.alg, material })
    }

    /// May the key be used with this algorithm? `none` and the symmetric ones fit no key.
    pub fn fits(&self, alg: &str) -> bool {
        let kind = match self.material {
            Material::Rsa { .. } => rsa(alg).is_some(),
            Material::P256(_) => alg == "ES256",
            Material::P384(_) => alg == "ES384",
            Material::Ed25519(_) => matches!(alg, "EdDSA" | "Ed25519"),
        };
        kind && self.alg.as_deref().is_none_or(|own| own == alg)
    }

    /// Is it this key's signature of the message?
    pub fn verifies(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        let plain = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
        };
        self.fits(alg)
            && match &self.material {
                Material::Rsa { n, e } => rsa(alg).is_some_and(|parameters| {
                    RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
                }),
                Material::P256(key) => plain(&ECDSA_P256_SHA256_FIXED, key),
                Material::P384(key) => plain(&ECDSA_P384_SHA384_FIXED, key),
                Material::Ed25519(key) => plain(&ED25519, key),
            }
    }
}

/// Is it an algorithm that a key of some provider may have signed with?
pub(super) fn is_signature(alg: &str) -> bool {
    rsa(alg).is_some() || matches!(alg, "ES256" | "ES384" | "EdDSA" | "Ed25519")
}

fn rsa(alg: &str) -> Option<&'static RsaParameters> {
    Some(match alg {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<VerifyKey> {
        serde_json::from_str::<JwkSet>(text).unwrap().keys()
    }

    /// RFC 8037, appendix A.2 and A.4.
    #[test]
    fn the_vector_of_rfc_8037_holds() {
        let keys = keys(
            r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        );
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = URL_SAFE_NO_PAD
            .decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
            .unwrap();
        assert!(keys[0].verifies("EdDSA", message, &signature));
        assert!(!keys[0].verifies("EdDSA", b"other", &signature));
        for alg in ["none", "HS256", "RS256", "ES256", ""] {
            assert!(!keys[0].verifies(alg, message, &signature), "{alg}");
        }
    }

    /// RFC 7515, appendix A.3.
    #[test]
    fn the_vector_of_rfc_7515_holds() {
        let keys = keys(
            r#"{"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
        );
        let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD
            .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
            .unwrap();
        assert!(keys[0].verifies("ES256", message, &signature));
        assert!(!keys[0].verifies("ES384", message, &signature));
    }

    #[test]
    fn keys_of_other_kinds_are_left_out() {
        let keys = keys(
            r#"{"keys": [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"},
                {"no": 1}, {"kty": "RSA", "alg": "RS256", "n": "AQAB", "e": "AQAB"}]}"#,
        );
        assert_eq!(keys.len(), 1);
        assert!(keys[0].fits("RS256") && !keys[0].fits("RS512") && !keys[0].fits("HS256"));
    }
}
