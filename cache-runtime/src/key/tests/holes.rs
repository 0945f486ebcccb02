//! Templates that the result completes.

use super::{Failing, late};
use crate::key::buf::Unrenderable;
use crate::key::{Holes, Pattern};

#[test]
fn holes_are_filled_in_order_over_all_templates() {
    let templates = vec![
        late(|k| {
            k.lit("a:");
            k.hole();
            k.lit(":");
            k.arg("x");
            k.lit(":");
            k.hole()
        }),
        late(|k| {
            k.lit("b:");
            k.arg(&1)
        }),
        late(|k| {
            k.glob("c:");
            k.hole();
            k.glob(":*")
        }),
    ];
    assert!(templates[0].has_holes() && !templates[1].has_holes());
    assert!(templates[0].render().is_err());
    assert_eq!(templates[0].pattern(), Pattern::parse("a:*:x:*"));
    assert_eq!(templates[2].pattern(), Pattern::parse("c:*:*"));

    let mut holes = Holes::new(templates);
    holes.fill(&1);
    holes.fill("*");
    holes.fill("[");
    holes.fill("there is no fourth");
    let filled = holes.finish();
    let first = filled[0].render().unwrap();
    assert_eq!((first.as_str(), first.region()), ("a:1:x:%2A", "a"));
    assert_eq!(filled[0].pattern(), Pattern::exact(&first.into_key(0)));
    assert_eq!(filled[1].render().unwrap().as_str(), "b:1");
    assert_eq!(filled[2].pattern(), Pattern::parse(r"c:\[:*"));
}

#[test]
fn a_hole_that_cannot_be_rendered_is_a_star() {
    let mut holes = Holes::new(vec![late(|k| {
        k.lit("a:");
        k.hole();
        k.lit(":b")
    })]);
    holes.fill(&Failing);
    let filled = holes.finish();
    assert!(matches!(
        filled[0].render(),
        Err(Unrenderable::Serialize(_))
    ));
    assert_eq!(filled[0].pattern(), Pattern::parse("a:*:b"));
}
