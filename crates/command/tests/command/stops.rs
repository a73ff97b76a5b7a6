//! What comes from outside while it works: a full disk, a closed pipe, an interruption, input without an end.

use super::{Place, Ran, ran};
use nn::data::IRIS_CSV;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn trained(name: &str) -> Place {
    let place = Place::new(name);
    place.write("iris.csv", IRIS_CSV);
    place.train("iris.csv", "species");
    place
}

/// A training that takes minutes.
const LONG: [&str; 12] = [
    "train",
    "iris.csv",
    "--target",
    "species",
    "--net",
    "64,64:tanh",
    "--iterations",
    "100000",
    "--penalty",
    "0,1e-9,1e-8",
    "--out",
    "new",
];

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// A training that is under way: it has told what the columns mean. Its words go to a file beside its place.
fn under_way(place: &Place) -> (Child, PathBuf) {
    let words = place.0.with_extension("err");
    let mut command = place.command(LONG);
    command.stdout(Stdio::piped()).stderr(File::create(&words).unwrap());
    let child = command.spawn().unwrap();
    wait_for(|| std::fs::read_to_string(&words).unwrap().contains("petal_width"));
    std::thread::sleep(Duration::from_millis(300));
    (child, words)
}

/// As [`ended`], of what was under way.
fn ended_with(child: Child, words: &Path) -> Ran {
    let ran = ended(child);
    let err = std::fs::read_to_string(words).unwrap();
    std::fs::remove_file(words).unwrap();
    Ran { err, ..ran }
}

#[track_caller]
fn wait_for(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for the end, and no longer than a minute.
#[track_caller]
fn ended(mut child: Child) -> Ran {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_mins(1) {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_full_disk_is_told() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let place = trained("full");
    for arguments in [
        &["predict", "iris.csv", "--model", "model"][..],
        &["eval", "iris.csv", "--model", "model"],
        &["info", "model"],
        &["report", "iris.csv", "--model", "model"],
        &["graph", "model"],
        &["export", "model", "--c", "-"],
        &["check", "--line", "Eq. 1.1"],
        &["manual"],
        &["train", "--print-settings"],
        &["--help"],
    ] {
        ran(place.command(arguments).stdout(full.try_clone().unwrap()))
            .failed(1, &["standard output", "No space left"]);
    }
}

#[test]
fn files_that_become_too_large_leave_what_was_there() {
    let place = trained("limit");
    let before = place.read("model/model.safetensors");
    for (blocks, out) in [(0, "new"), (1, "new"), (1, "model")] {
        let line = format!(
            "ulimit -f {blocks}; exec \"$0\" train iris.csv --target species --net 64:relu --members 1 --penalty 0.1 \
             --iterations 5 --out {out}"
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_nn")]).current_dir(&place.0);
        ran(&mut shell).failed(1, &["cannot be written", "File too large", out]);
        assert_eq!(place.names("."), ["iris.csv", "model"]);
    }
    assert_eq!(place.read("model/model.safetensors"), before);
    assert!(place.names("model").iter().all(|name| !name.starts_with('.')), "{:?}", place.names("model"));
}

#[test]
fn a_file_of_predictions_is_there_as_a_whole_or_as_it_was() {
    let place = trained("whole");
    let predict = ["predict", "iris.csv", "--model", "model", "--out", "p.csv"];
    assert!(place.run(&predict).good().out.is_empty());
    let before = place.read("p.csv");
    assert_eq!(before, place.run(&predict[..4]).good().out.into_bytes());
    let mut shell = Command::new("sh");
    let line = format!("ulimit -f 1; exec \"$0\" {}", predict.join(" "));
    ran(shell.args(["-c", &line, env!("CARGO_BIN_EXE_nn")]).current_dir(&place.0)).failed(1, &["p.csv", "too large"]);
    // An interruption while rows are still to come.
    let mut child = spawn(place.command(["predict", "-", "--model", "model", "--out", "p.csv"]));
    child.stdin.as_mut().unwrap().write_all(IRIS_CSV.as_bytes()).unwrap();
    wait_for(|| place.names(".").len() > 3);
    interrupt(&child);
    ended(child).failed(130, &["interrupted"]);
    assert_eq!(
        (place.read("p.csv"), place.names(".")),
        (before, ["iris.csv", "model", "p.csv"].map(String::from).to_vec())
    );
    place.run(&["predict", "iris.csv", "--model", "model", "--out", "no/p.csv"]).failed(1, &["no/p.csv"]);
    place.run(&["predict", "iris.csv", "--model", "model", "--out", "model"]).failed(1, &["model"]);
}

#[test]
fn who_reads_no_further_has_what_he_wanted() {
    let place = trained("pipe");
    let (header, rows) = IRIS_CSV.split_once('\n').unwrap();
    let many = format!("{header}\n{}", rows.repeat(200));
    place.write("many.csv", many);
    for json in [&[][..], &["--json"]] {
        let mut child = spawn(place.command([&["predict", "many.csv", "--model", "model"][..], json].concat()));
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        assert!(first.contains("setosa"), "{first}");
        drop(out);
        let done = ended(child);
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert!(done.err.is_empty(), "{}", done.err);
    }
}

#[test]
fn interrupted_once_it_saves_what_it_has_learnt() {
    let place = trained("once");
    let (child, words) = under_way(&place);
    interrupt(&child);
    let done = ended_with(child, &words).failed(130, &["interrupted", "saved in new"]);
    assert!(done.out.contains("accuracy"), "{}", done.out);
    assert_eq!(place.names("new").len(), 6);
    place.run(&["eval", "iris.csv", "--model", "new"]).good();
}

#[test]
fn interrupted_twice_it_stops_and_leaves_nothing() {
    let place = trained("twice");
    let (child, words) = under_way(&place);
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(50));
    interrupt(&child);
    let done = ended_with(child, &words);
    assert_eq!(done.code, Some(130), "{}", done.err);
    // It may have come to its end between the two.
    if !place.has("new") {
        assert_eq!(place.names("."), ["iris.csv", "model"]);
        assert!(done.err.contains("error: interrupted\nhelp: "), "{}", done.err);
    }
}

#[test]
fn rows_that_come_for_ever_are_predicted_as_they_come() {
    let place = trained("ever");
    let mut child = spawn(place.command(["predict", "-", "--model", "model"]));
    let mut input = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        line
    };
    input.write_all(b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n").unwrap();
    assert!(line().starts_with("species,") && line().starts_with("setosa,"));
    for _ in 0..3 {
        // An answer to each before the next is sent.
        input.write_all(b"6.3,3.3,6,2.5\n").unwrap();
        assert!(line().starts_with("virginica,"));
    }
    interrupt(&child);
    let done = ended(child).failed(130, &["interrupted"]);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty() && done.code == Some(130), "{rest}");
}

#[test]
fn a_mistake_in_rows_that_come_ends_it_after_those_before() {
    let place = trained("mistake");
    let mut child = spawn(place.command(["predict", "-", "--model", "model"]));
    let mut input = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    input.write_all(b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n").unwrap();
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    out.read_line(&mut line).unwrap();
    input.write_all(b"5.1,3.5,1.4,wide\n").unwrap();
    ended(child).failed(1, &["standard input, line 3, column 4", "wide"]);
}

#[test]
fn bytes_without_an_end_that_are_no_rows_are_refused() {
    let place = trained("bytes");
    for device in ["/dev/zero", "/dev/urandom"] {
        let Ok(from) = File::open(device) else { continue };
        let mut command = place.command(["predict", "-", "--model", "model"]);
        let done = ended(command.stdin(from).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        done.failed(1, &["standard input"]);
    }
}

#[test]
fn a_sweep_that_is_interrupted_goes_on_where_it_was() {
    let place = trained("sweep");
    let sweep =
        ["sweep", "iris.csv", "--target", "species", "--vary", "net=linear", "--iterations", "60", "--seeds", "3"];
    let child = spawn(place.command(sweep));
    let runs = || std::fs::read_to_string(place.0.join("iris-sweep/sweep.jsonl")).unwrap_or_default().lines().count();
    wait_for(|| runs() >= 3);
    interrupt(&child);
    let done = ended(child);
    // It may have come to its end before.
    if done.code != Some(0) {
        done.failed(130, &["interrupted", "the same command goes on"]);
    }
    place.run(&sweep).good();
    assert_eq!(String::from_utf8(place.read("iris-sweep/runs.csv")).unwrap().lines().count(), 1 + 3 * 5);
}

#[test]
fn what_a_killed_run_left_half_written_is_taken_away_and_nothing_else() {
    let place = Place::new("leftovers");
    place.write("iris.csv", IRIS_CSV);
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let [gone, alive] = [gone.id(), std::process::id()];
    let train = || {
        let flags =
            ["--target", "species", "--net", "linear", "--penalty", "0.01", "--out", "model", "--report", "page.html"];
        place.run(&[&["train", "iris.csv"], &flags[..]].concat()).good();
    };
    let half = |name: &str| {
        std::fs::create_dir(place.0.join(name)).unwrap();
        place.write(&format!("{name}/model.safetensors"), b"half");
    };
    half(&format!(".model.{gone}.tmp"));
    place.write(&format!(".page.html.{gone}.tmp"), b"half");
    // Of a process that lives, of another target, of somebody's own, and of no process.
    let others =
        [format!(".model.{alive}.tmp"), format!(".other.{gone}.tmp"), ".model.mine.tmp".into(), ".model..tmp".into()];
    for name in &others {
        half(name);
    }
    train();
    let mut expected: Vec<String> = others.to_vec();
    expected.extend(["iris.csv", "model", "page.html"].map(str::to_owned));
    expected.sort();
    assert_eq!(place.names("."), expected);

    // In a folder that is there already, too; what is locked stays.
    half(&format!("model/.run.{gone}.tmp"));
    half(&format!(".page.html.{gone}.tmp"));
    let held = File::open(place.0.join(format!(".page.html.{gone}.tmp"))).unwrap();
    held.try_lock().unwrap();
    train();
    assert!(!place.has(&format!("model/.run.{gone}.tmp")) && place.has(&format!(".page.html.{gone}.tmp")));
    drop(held);
    train();
    assert!(!place.has(&format!(".page.html.{gone}.tmp")));
}

#[test]
fn a_kill_while_it_trains_leaves_the_events_so_far_and_nothing_else() {
    let place = Place::new("killed events");
    place.write("iris.csv", IRIS_CSV);
    let mut command = place.command(LONG);
    command.args(["--held-out", "0", "--tensorboard", "board"]);
    let mut child = spawn(command);
    let size = || {
        let files = std::fs::read_dir(place.0.join("board/run-1")).into_iter().flatten().flatten();
        files.map(|file| file.metadata().unwrap().len()).sum::<u64>()
    };
    // The first record, of 40 bytes, says which version it is.
    wait_for(|| size() >= 40);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place.names("."), ["board", "iris.csv"]);
    assert_eq!(place.names("board"), ["run-1"]);
}
