//! Every page with something on it, for tests to render.

mod analysis;
mod dataset;
mod entrance;
mod explanation;
mod mitigation;
mod model;
mod overview;
mod resource;
mod results;

use analysis::{analysis, compare, live, new_analysis};
use chrono::{DateTime, Utc};
use dataset::{dataset, upload};
use entrance::{depart, enrol, recovery, secret, sign_in, sign_in_elsewhere};
use ephor_fairness::task::TaskResult;
use ephor_kernel::{PermissionSet, Problem};
use explanation::{artifact, explained, explanation};
use mitigation::{mitigated, mitigation};
pub(crate) use mitigation::{thresholds, weights};
use model::trend;
pub(crate) use model::{card, card_of};
use overview::{audit, dashboard, usage};
use resource::{detail, form, list};
pub(crate) use results::{
    completed, completed_of, multiclass, pooled, ranking, regression, result,
};

use crate::{
    error::ErrorPage,
    frame::{Account, Frame, Looking, OrganizationChoice},
    pages::{
        analysis::page::State,
        explanation::page::State as Explained,
        follow::{Live, Progress},
        mitigation::page::State as Mitigated,
        resource::ListPage,
    },
    result::{ResultView, TaskView},
    view::{Badge, Notice},
};

/// A moment that does not pass.
pub(crate) fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default()
}

fn frame(title: &str, section: &'static str) -> Frame {
    let choice = |name: &str, current| OrganizationChoice {
        id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into(),
        name: name.into(),
        note: "Owner".into(),
        current,
    };
    let account = Account {
        name: "Ada Lovelace".into(),
        email: "ada@example.org".into(),
        role: "Owner".into(),
        organizations: vec![
            choice("Demo organization", true),
            choice("Analytical <Engines>", false),
        ],
        subsidiaries: vec![],
        looking: None,
        beyond: vec![],
        permissions: PermissionSet::all(),
        csrf: "token".into(),
    };
    Frame::new(title, None).within(account, section)
}

/// A list of a subsidiary, as its holding's members see it.
fn looked_into() -> ListPage {
    let mut page = list(false);
    page.actions.clear();
    if let Some(account) = &mut page.frame.account {
        for choice in &mut account.organizations {
            choice.current = false;
        }
        account.subsidiaries = ["Northern <Branch>", "Southern branch"]
            .into_iter()
            .enumerate()
            .map(|(place, name)| OrganizationChoice {
                id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f61".into(),
                name: name.into(),
                note: "read only".into(),
                current: place == 0,
            })
            .collect();
        account.looking = Some(Looking {
            home: "Demo organization".into(),
            home_id: "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".into(),
            link: "/organization/open?organization=1&next=%2Fmodels".into(),
        });
        account.permissions = PermissionSet::all().reading();
    }
    page
}

/// All of them, by name.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    let done = || State::Done(Box::new(ResultView::new(&result())));
    let task = |result: TaskResult| State::Task(Box::new(TaskView::new(&result)));
    let page = |name: &'static str, template: &dyn askama::DynTemplate| {
        (name, template.dyn_render().unwrap())
    };
    vec![
        page("sign-in", &sign_in(false)),
        page("sign-in-refused", &sign_in(true)),
        page("sign-in-elsewhere", &sign_in_elsewhere()),
        page("enrol", &enrol()),
        page("recovery", &recovery()),
        page("depart", &depart()),
        page("dashboard", &dashboard()),
        page("list", &list(false)),
        page("list-empty", &list(true)),
        page("list-of-a-subsidiary", &looked_into()),
        page("detail", &detail()),
        page("form", &form()),
        page("secret", &secret()),
        page("usage", &usage()),
        page("upload", &upload()),
        page("dataset", &dataset()),
        page("analysis-new", &new_analysis()),
        page("analysis-live", &live()),
        page(
            "analysis-failed",
            &analysis(State::Ended(Notice::fail("It failed")), Badge::state("failed")),
        ),
        page("analysis-done", &analysis(done(), Badge::state("completed"))),
        page("analysis-regression", &analysis(task(regression()), Badge::state("completed"))),
        page("analysis-multiclass", &analysis(task(multiclass()), Badge::state("completed"))),
        page("analysis-ranking", &analysis(task(ranking()), Badge::state("completed"))),
        page("mitigation", &mitigation(mitigated(), Badge::state("completed"))),
        page(
            "mitigation-failed",
            &mitigation(Mitigated::Ended(Notice::fail("It failed")), Badge::state("failed")),
        ),
        page("explanation", &explanation(explained(), Badge::state("completed"))),
        page(
            "explanation-live",
            &explanation(
                Explained::Live(Live {
                    events: "/explanations/1/events".into(),
                    progress: Progress { message: "Explaining".into(), percent: 61 },
                }),
                Badge::state("running"),
            ),
        ),
        page(
            "explanation-failed",
            &explanation(Explained::Ended(Notice::fail("It failed")), Badge::state("failed")),
        ),
        page("model-artifact", &artifact()),
        page("compare", &compare(true)),
        page("compare-none", &compare(false)),
        page("trend", &trend(3)),
        page("trend-one", &trend(1)),
        page("trend-none", &trend(0)),
        page("audit", &audit()),
        page("error", &ErrorPage::new(&Problem::internal(), Some("0193".into()), None)),
        page("not-found", &ErrorPage::new(&Problem::forbidden("models", "read"), None, None)),
    ]
}
