//! Plans that ask a question of rows: tables of one row with one column, what was kept.

use arrow::datatypes::DataType;
use datafusion::{
    error::DataFusionError,
    logical_expr::{Expr, cast, lit},
    prelude::{DataFrame, coalesce, col},
};

use super::{FUNCTION_NAME, Question, fair_rows, function::argument};
use crate::frame::chosen;

/// What each list is called, and what is kept of its rows.
pub(crate) const LIST: &str = "list";
pub(crate) const ROWS: &str = "rows";

/// All rows are asked the same.
pub(super) fn whole(
    table: &DataFrame,
    columns: &[&str],
    question: &Question,
) -> Result<DataFrame, DataFusionError> {
    let call = call(table, columns, question)?;
    table.clone().aggregate(Vec::new(), vec![call.alias(FUNCTION_NAME)])
}

/// The rows of each list are asked `of_list`, and what is kept of all lists `question`.
pub(super) fn by_list(
    table: &DataFrame,
    columns: &[&str],
    list: Option<&str>,
    of_list: &Question,
    question: &Question,
) -> Result<DataFrame, DataFusionError> {
    let call_of_list = call(table, columns, of_list)?.alias(ROWS);
    let name = match list {
        Some(list) => {
            let (list, _) = chosen(table, &[list])?.swap_remove(0);
            // A list without a name is one whose name is empty.
            vec![coalesce(vec![cast(list, DataType::Utf8), lit("")]).alias(LIST)]
        }
        None => Vec::new(),
    };
    let is_named = !name.is_empty();
    let mut lists = table.clone().aggregate(name, vec![call_of_list])?;
    if !is_named {
        lists = lists.select(vec![lit("").alias(LIST), col(ROWS)])?;
    }
    let call = call(&lists, &[LIST, ROWS], question)?;
    lists.aggregate(Vec::new(), vec![call.alias(FUNCTION_NAME)])
}

fn call(table: &DataFrame, columns: &[&str], question: &Question) -> Result<Expr, DataFusionError> {
    let (columns, names): (Vec<Expr>, Vec<String>) = chosen(table, columns)?.into_iter().unzip();
    let mut arguments = vec![argument(question, &names)?];
    arguments.extend(columns);
    Ok(fair_rows().call(arguments))
}
