use clif_cont_abi::Isa;
use clif_cont_program::Target;

use super::*;
use crate::protocol::{PROFILES, profile};

fn graph(name: &str, text: &str, function: &str, detail: Detail) -> Graph {
    let program = crate::load::read(name, text.as_bytes(), Some(Target::new(Isa::X86_64))).expect("valid");
    let profile = profile(PROFILES[0], &program.target).expect("the usual profile");
    Graph::new(&program, program.function(function).expect("a function"), &profile, detail)
}

#[test]
fn edges_of_a_resume_have_the_names_of_its_handlers() {
    for isa in Isa::ALL {
        for switch in isa.switch_models() {
            let target = Target::with_switch(isa, *switch).expect("its own");
            let program = crate::op::lower_op("resume (i64) -> () on (f64) on (i32) on (i64)", target).expect("valid");
            let profile = profile(PROFILES[0], &program.target).expect("the usual profile");
            let graph = Graph::new(&program, program.function("op").expect("it"), &profile, Detail::Brief);
            let labels: Vec<&str> = graph.edges.iter().map(|e| e.label.as_str()).collect();
            for wanted in [
                "null check fails",
                "revision check passes",
                "returned",
                "another effect",
                "handler of %tag_0",
                "handler of %tag_1",
                "handler of %tag_2",
            ] {
                let count = labels.iter().filter(|l| **l == wanted).count();
                assert_eq!(count, 1, "{} {}: {wanted} in {labels:?}", isa.name(), switch.name());
            }
            assert_eq!(graph.nodes.iter().filter(|n| n.switches).count(), 1);
            for edge in graph.edges.iter().filter(|e| e.label.ends_with("fails") || e.label == "another effect") {
                assert!(graph.nodes[edge.to].traps, "{}: {edge:?}", isa.name());
            }
        }
    }
}

#[test]
fn names_of_strangers_are_no_markup() {
    let hostile = [
        "</text><script>alert(1)</script>",
        "-->",
        "\"]",
        "'",
        "a\nb",
        "\u{202e}x",
        "#quot;",
        "%%{init}",
        "`*a*`",
        "&lt;",
    ];
    for name in hostile {
        let node =
            Node { id: "block0".into(), comment: Some(name.into()), lines: vec![name.into()], ..Node::default() };
        let edges = vec![Edge { from: 0, to: 0, label: name.replace('\n', " ") }];
        let graph = Graph { name: name.into(), nodes: vec![node], edges, left_out: vec![name.into()] };
        let (picture, chart) = (svg(&graph), mermaid(&graph));
        assert!(!picture.contains("<script") && !picture.contains('\u{202e}'), "{picture}");
        assert_eq!(picture.matches('<').count(), picture.matches('>').count(), "{picture}");
        // the frame is that of a harmless name
        let plain = Node { id: "block0".into(), comment: Some("x".into()), lines: vec!["x".into()], ..Node::default() };
        let edges = vec![Edge { from: 0, to: 0, label: "x".into() }];
        let plain = Graph { name: "x".into(), nodes: vec![plain], edges, left_out: vec!["x".into()] };
        let frame = |text: &str| text.chars().filter(|c| "\"[]|>`%\n".contains(*c)).collect::<String>();
        assert_eq!(frame(&chart), frame(&mermaid(&plain)), "{chart}");
        let tags = |text: &str| text.matches('<').count();
        assert_eq!(tags(&picture), tags(&svg(&plain)), "{picture}");
    }
}

#[test]
fn large_functions_are_bounded_and_say_so() {
    let mut text = String::from("function %f(i32) {\nblock0(v0: i32):\n    jump block1\n");
    for n in 1..10_000 {
        let far = (n * 7919) % 10_000 + 1;
        text.push_str(&format!("block{n}:\n    brif v0, block{}, block{far}\n", n + 1));
    }
    text.push_str("block10000:\n    return\n}\n");
    for detail in [Detail::Instructions, Detail::Brief] {
        let graph = graph("f.clif", &text, "f", detail);
        assert_eq!(graph.nodes.len(), MAX_BLOCKS);
        assert!(graph.left_out[0].starts_with("9801 of 10001 blocks"), "{:?}", graph.left_out);
        assert!(svg(&graph).contains("not drawn: 9801 of 10001 blocks") && mermaid(&graph).contains("not drawn: 9801"));
    }
}
