//! Data sets and their upload.

use super::{analysis::analyses_table, frame, moment};
use crate::{
    pages::{
        dataset::page::{ColumnCard, DatasetPage, UploadPage},
        resource::{Action, Step},
    },
    view::{Bar, Bars, Control, Field, Form, Head, Html, Moment, Spark, Table},
};

pub(super) fn dataset() -> DatasetPage {
    let text = ColumnCard {
        name: "race".into(),
        kind: "text".into(),
        spark: None,
        bars: Some(Bars {
            bars: [
                ("White", 0.855),
                ("Black", 0.096),
                ("Asian-Pac-Islander", 0.029),
                ("Amer-Indian-Eskimo", 0.01),
                ("<Other>", 0.008),
            ]
            .map(|(name, share)| Bar {
                name: name.into(),
                share,
                text: crate::view::format::percent(share),
            })
            .to_vec(),
        }),
        facts: vec![("Missing", "0".into()), ("Distinct", "5".into())],
    };
    let number = ColumnCard {
        name: "score".into(),
        kind: "number".into(),
        spark: Some(Spark {
            label: "Histogram of score".into(),
            heights: vec![62.0, 20.0, 9.0, 6.0, 5.0, 4.0, 4.0, 3.0, 3.0, 5.0],
        }),
        bars: None,
        facts: vec![
            ("Missing", "12".into()),
            ("Least", "0.000".into()),
            ("Median", "0.114".into()),
            ("Greatest", "0.999".into()),
        ],
    };
    let frame = frame("adult_predictions", "/datasets").crumb("Data sets", "/datasets");
    DatasetPage {
        lede: "UCI Adult test split with the predictions of a logistic regression.".into(),
        actions: vec![Action::primary("Analyse for bias", "/analyses/new?dataset=1", "scale")],
        steps: vec![
            Step::new("Delete", "/datasets/1/delete", "trash", &frame)
                .danger("Delete this data set and its file?"),
        ],
        facts: vec![
            ("Rows", Html::text("16,281")),
            ("Columns", Html::text("8")),
            ("Size", Html::text("412.3 kB")),
            ("Uploaded", Html::of(&Moment(moment()))),
        ],
        columns: vec![
            number.clone(),
            text.clone(),
            ColumnCard { name: "sex".into(), ..text },
            ColumnCard { name: "weight".into(), ..number },
        ],
        preview: Table {
            label: "First rows".into(),
            heads: ["y_true", "y_pred", "score", "race", "sex"].map(Head::new).to_vec(),
            rows: vec![["0", "0", "0.002331", "Black", "Male"].map(Html::text).to_vec(); 4],
        },
        analyses: Some(analyses_table()),
        frame,
    }
}

pub(super) fn upload() -> UploadPage {
    UploadPage {
        frame: frame("Upload a data set", "/datasets").crumb("Data sets", "/datasets"),
        form: Form::new(vec![
            Field::new("file", "File").control(Control::File(".csv,.parquet")).required(),
            Field::new("name", "Name"),
        ]),
        action: "/datasets",
    }
}
