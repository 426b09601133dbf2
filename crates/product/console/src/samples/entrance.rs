//! Pages before and around an account.

use ephor_kernel::{Code, Problem};

use super::frame;
use crate::{
    frame::Frame,
    pages::{
        settings::{
            secret::SecretPage,
            security::{DepartPage, EnrolPage, RecoveryPage},
        },
        sign_in::{
            elsewhere::{SignInPage, Way},
            gate::GatePage,
        },
    },
    view::{Control, Field, Form},
};

pub(super) fn sign_in(refused: bool) -> GatePage {
    let mut form = Form::new(vec![
        Field::new("email", "E-mail")
            .control(Control::Line("email"))
            .required()
            .value("ada@example.org"),
        Field::new("password", "Password").control(Control::Line("password")).required(),
    ]);
    if refused {
        form.refuse(&Problem::new(
            Code::WrongCredentials,
            "The e-mail address or the password is wrong",
        ));
    }
    GatePage {
        frame: Frame::new("Sign in", None),
        lede: "Welcome back.".into(),
        form,
        action: "/sign-in",
        hidden: vec![("next", "/analyses".into())],
        submit: "Sign in",
        other: Some(("New here?", "/sign-up".into(), "Open an organization")),
    }
}

pub(super) fn sign_in_elsewhere() -> SignInPage {
    let GatePage { frame, lede, form, action, hidden, submit, other } = sign_in(false);
    let providers = vec![Way {
        href: "/sign-in/with/keycloak?next=%2F".into(),
        label: "Sign in with Keycloak".into(),
    }];
    SignInPage { frame, lede, form, action, hidden, submit, other, providers }
}

pub(super) fn enrol() -> EnrolPage {
    EnrolPage {
        frame: frame("Set up a second factor", "").crumb("Security", "/security"),
        qr: "<svg viewBox=\"0 0 1 1\"></svg>".into(),
        secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into(),
        form: Form::new(vec![Field::new("code", "Code").required()]),
    }
}

pub(super) fn recovery() -> RecoveryPage {
    RecoveryPage {
        frame: frame("Recovery codes", "").crumb("Security", "/security"),
        codes: vec!["ABCD-EFGH-IJKL-MNOP".into()],
    }
}

pub(super) fn depart() -> DepartPage {
    DepartPage {
        frame: frame("Link an account elsewhere", "").crumb("Security", "/security"),
        href: "https://id.example.org/authorize?a=b&c=d".into(),
    }
}

pub(super) fn secret() -> SecretPage {
    SecretPage {
        frame: frame("API key", "/api-keys"),
        lede: "Copy it now: it is not shown again.".into(),
        label: "Key",
        secret: "eph_0193_secret".into(),
        hint: "Send it as Authorization: Bearer.".into(),
        back: "/api-keys",
    }
}
