use proptest::prelude::*;

use super::*;

fn read(member: &str) -> Result<Filter, FilterError> {
    parameter("and", &format!("({member})")).map(|filter| match filter {
        Filter::Group { mut members, .. } => members.remove(0),
        test @ Filter::Test { .. } => test,
    })
}

fn one(column: &str, operator: Operator, value: &str) -> Filter {
    let field = Field { column: column.into(), path: Vec::new(), text: false };
    Filter::Test { negated: false, field, operator, operand: Operand::One(value.into()) }
}

#[test]
fn a_parameter_is_a_test_whose_value_is_all_the_rest() {
    assert_eq!(parameter("name", "eq.a.b,(c)").unwrap(), one("name", Operator::Eq, "a.b,(c)"));
    let Filter::Test { negated, operand, .. } = parameter("status", "not.in.(a,\"b,c\",)").unwrap()
    else {
        panic!("a test")
    };
    assert!(negated);
    assert_eq!(operand, Operand::Many(vec!["a".into(), "b,c".into(), String::new()]));
}

#[test]
fn groups_hold_tests_and_groups() {
    let filter =
        parameter("not.or", "(a.eq.1,not.and(b.is.null,c.not.in.(x,y)),d.like.\"*,*\")").unwrap();
    assert_eq!(
        filter.to_string(),
        "not.or(a.eq.1,not.and(b.is.null,c.not.in.(x,y)),d.like.\"*,*\")"
    );
    assert_eq!(filter.size(), 4);
}

#[test]
fn places_in_json_are_reached_by_arrows() {
    let Filter::Test { field, .. } = parameter("metadata->a->>\"b c\"", "eq.x").unwrap() else {
        panic!("a test")
    };
    assert_eq!((field.path, field.text), (vec!["a".into(), "b c".into()], true));
}

#[test]
fn what_is_wrong_is_told() {
    for (name, value, message) in [
        ("status", "active", "`active` has no operator"),
        ("status", "equals.active", "`equals` is not an operator"),
        ("status", "in.a,b", "`(` is expected before `a,b`"),
        ("status", "in.(a,b", "it ends where `)` is expected"),
        ("or", "(a.eq.1", "it ends where `)` is expected"),
        ("or", "(a.eq.1)x", "`x` is left over"),
        ("or", "()", "`)` does not begin with a column"),
        ("or", "(a.eq.\"x)", "a quotation mark is not closed"),
        ("metadata->>", "eq.1", "a key is missing after the arrow"),
    ] {
        assert_eq!(parameter(name, value).unwrap_err().message, message, "{name}={value}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |depth: usize| format!("({}a.eq.1{})", "or(".repeat(depth), ")".repeat(depth));
    assert!(parameter("or", &nested(MAX_DEPTH - 1)).is_ok());
    assert!(parameter("or", &nested(MAX_DEPTH)).is_err());
    assert!(parameter("or", &nested(100_000)).is_err());
    let list = format!("in.({})", vec!["1"; MAX_LIST + 1].join(","));
    assert!(parameter("a", &list).is_err());
}

fn filters() -> impl Strategy<Value = Filter> {
    let field = ("[a-z_][a-z0-9_]{0,8}", prop::collection::vec(".{1,6}", 0..3), any::<bool>())
        .prop_map(|(column, path, text)| Field { text: text && !path.is_empty(), column, path });
    let operator = prop::sample::select(Operator::ALL);
    let test = (any::<bool>(), field, operator, ".{0,12}", prop::collection::vec(".{0,6}", 0..4))
        .prop_map(|(negated, field, operator, value, values)| Filter::Test {
            negated,
            field,
            operator,
            operand: if operator == Operator::In {
                Operand::Many(values)
            } else {
                Operand::One(value)
            },
        });
    test.prop_recursive(3, 20, 4, |member| {
        (any::<bool>(), any::<bool>(), prop::collection::vec(member, 1..4))
            .prop_map(|(negated, any, members)| Filter::Group { negated, any, members })
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(filter in filters()) {
        prop_assert_eq!(read(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn nothing_makes_it_panic(name in ".{0,30}", value in ".{0,60}") {
        let _ = parameter(&name, &value);
        let _ = parameter("or", &value);
    }

    #[test]
    fn nothing_like_a_filter_makes_it_panic(value in "[a-c.,()\"\\\\>not-]{0,60}") {
        let _ = parameter("or", &value);
        let _ = parameter("metadata->>a", &value);
    }
}
