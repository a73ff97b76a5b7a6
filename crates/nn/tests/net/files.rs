//! Files of others and for others, files of before, processes that are killed while they save, and training that goes on to the same bits.

use autograd::Tensor;
use nn::data::{Batcher, Csv, Dataset, IRIS_CSV, Preparing, Preprocess, Schema, Standardiser, Table};
use nn::file::{Checkpoint, Loading, Model, Rename, Saving, Stored};
use nn::layers::{BatchNorm, Conv2d, Dropout, Layer, Sequential};
use nn::optim::{
    Accumulated, Adadelta, Adagrad, Adam, Adamax, Averaged, Clip, Clipped, Lion, NAdam, RAdam, RmsProp, Rprop, Rule,
    Schedule, Scheduler, Sgd, Weighting,
};
use nn::train::{Best, Better, EarlyStop, History, Learner};
use nn::{Activation, Init, Kind, Linear, Mlp, generator, load, save};
use std::path::{Path, PathBuf};
use std::process::Command;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A folder of a test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("nn-files-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn mlp() -> Mlp<Tensor> {
    Mlp::new(&[4, 8, 3], Activation::Tanh, 0)
}

/// What makes our names of PyTorch's `Sequential`, where activations count too.
const NAMES: &[Rename<'_>] =
    &[Rename::Skip("x"), Rename::Skip("logits"), Rename::Prefix("layers."), Rename::Renumber("layers")];

fn largest_gap(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.shape(), b.shape());
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn weights_of_pytorch_and_numpy_give_their_logits() {
    for file in [
        "torch_f64.safetensors",
        "torch_f32.safetensors",
        "torch_f16.safetensors",
        "torch_bf16.safetensors",
        "torch.npz",
    ] {
        let stored = Stored::read(fixture(file)).unwrap();
        let [x, logits] = ["x", "logits"].map(|name| stored.tensors[name].tensor::<f64>().unwrap());
        let mut net = mlp();
        Loading { names: NAMES, ..Loading::default() }.load(&mut net, fixture(file)).unwrap();
        assert!(largest_gap(&net.predict(&x), &logits) < 1e-12, "{file}");
    }
}

#[test]
fn a_sequential_net_has_the_names_of_pytorch_buffers_included() {
    let path = fixture("torch_conv.safetensors");
    let stored = Stored::read(&path).unwrap();
    let [x, logits] = ["x", "logits"].map(|name| stored.tensors[name].tensor::<f64>().unwrap());
    let rng = &mut generator(0);
    let mut net: Sequential<Tensor> = Sequential::new([
        Conv2d::new([1, 3], [3, 3], rng).same().into(),
        BatchNorm::new(3).into(),
        Activation::Relu.into(),
        Layer::Flatten,
        Linear::new([48, 2], Init::Zeros, rng).into(),
    ]);
    let names = &[Rename::Skip("x"), Rename::Skip("logits")];
    Loading { names, ..Loading::default() }.load(&mut net, &path).unwrap();
    assert!(largest_gap(&net.predict(&x), &logits) < 1e-12);
    let Layer::BatchNorm(norm) = &net.layers[1] else { panic!("the structure stays") };
    assert_eq!(norm.num_batches_tracked.as_ref().unwrap().item(), 1.0); // an i64 there
}

/// The net whose file PyTorch and NumPy have read: `tests/python/interop.py check`.
fn ours() -> (Mlp<Tensor>, Tensor) {
    let net = mlp();
    let x = Tensor::from_fn([5, 4], |i| (i as f64).sin());
    let logits = net.predict(&x);
    (net, logits)
}

#[test]
fn what_pytorch_and_numpy_have_read_is_what_is_saved_today() {
    let folder = folder("ours");
    let (net, logits) = ours();
    let mut stored = Stored::of(&net);
    // Products have the bits of the CPU they were computed on.
    let read = Stored::read(fixture("ours.safetensors")).unwrap().tensors["logits"].clone();
    let was: Tensor = read.tensor().unwrap();
    assert_eq!(was.shape(), logits.shape());
    for (a, b) in was.as_slice().iter().zip(logits.as_slice()) {
        approx::assert_relative_eq!(a, b, max_relative = 1e-14);
    }
    stored.tensors.insert("logits".into(), read);
    for name in ["ours.safetensors", "ours.npz"] {
        let path = folder.join(name);
        stored.write(&path).unwrap();
        assert!(
            std::fs::read(&path).unwrap() == std::fs::read(fixture(name)).unwrap(),
            "{name} has changed: let the script check it"
        );
    }
    // Where Python has torch, it reads them again.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/interop.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let has_torch =
        Command::new(&python).args(["-c", "import torch, safetensors"]).output().is_ok_and(|out| out.status.success());
    if has_torch {
        let out = Command::new(&python).arg(script).arg("check").arg(&folder).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    } else {
        eprintln!("{python} has no torch: the files are compared with those that it has read");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

type Net = Sequential<Tensor>;

fn noisy() -> Net {
    let (rng, init) = (&mut generator(3), Init::XavierUniform { gain: 1.0 });
    Sequential::new([
        Linear::new([4, 6], init, rng).into(),
        BatchNorm::new(6).into(),
        Activation::Tanh.into(),
        Dropout::new(0.2).into(),
        Linear::new([6, 3], init, rng).into(),
    ])
}

/// All that the next step depends on.
#[derive(Debug, PartialEq)]
struct Run<R> {
    net: Net,
    rule: R,
    rates: String,
    history: History,
    stop: EarlyStop,
    best: Best<Net>,
    steps: u64,
}

fn schedule() -> Schedule {
    Schedule::CosineRestarts { first: 3, growth: 2, least: 1e-4 }
}

impl<R: Rule<f64> + Clone + Send + Sync + 'static> Run<R> {
    fn new(rule: R) -> (Self, Scheduler) {
        let scheduler = Scheduler::of(schedule(), &rule);
        let (history, stop, best) = (History::default(), EarlyStop::new(3), Best::new(Better::Lower));
        (Self { net: noisy(), rule, rates: String::new(), history, stop, best, steps: 0 }, scheduler)
    }

    /// Trains until so many epochs are done.
    fn train(mut self, scheduler: &mut Scheduler, epochs: u32, train: &Dataset, held_out: &nn::data::Batch) -> Self {
        let mut learner =
            Learner::new(self.net, self.rule, |net, batch| batch.loss(net.forward(batch.features, &batch.context)));
        (learner.seed, learner.steps) = (9, self.steps);
        for epoch in self.history.len() as u32..epochs {
            let each = |rule: &mut R| {
                scheduler.apply(rule);
                scheduler.step();
            };
            let loss = learner.epoch_with(&mut Batcher::new(train, 32, 4), epoch, each).unwrap();
            let watched = learner.measure(held_out).unwrap();
            self.history.push(&[("loss", loss), ("watched", watched)]);
            self.best.offer(watched, learner.net());
            self.stop.stop(watched);
        }
        self.steps = learner.steps;
        self.rates = format!("{:?}", scheduler.state());
        (self.net, self.rule) = learner.into_parts();
        self
    }

    fn save(&self, scheduler: &Scheduler, path: &Path) {
        let mut checkpoint = Checkpoint::new();
        checkpoint
            .put("net", &self.net)
            .put("memory", &**self.rule.memory())
            .put("best", self.best.params.as_ref().unwrap());
        checkpoint.set("scheduler", &scheduler.state()).set("history", &self.history).set("stop", &self.stop);
        checkpoint.set("best", &self.best).set("steps", &self.steps).save(path).unwrap();
    }

    /// As another process, which knows the settings alone, finds it.
    fn load(settings: R, path: &Path) -> (Self, Scheduler) {
        let (mut run, mut scheduler) = Self::new(settings);
        let saved = Checkpoint::load(path).unwrap();
        saved.restore("net", &mut run.net).unwrap();
        *run.rule.memory_mut() = saved.tensors("memory").unwrap().into();
        (run.history, run.stop, run.best) =
            (saved.get("history").unwrap(), saved.get("stop").unwrap(), saved.get("best").unwrap());
        saved.restore("best", run.best.params.insert(noisy())).unwrap();
        run.steps = saved.get("steps").unwrap();
        scheduler.restore(&saved.get("scheduler").unwrap()).unwrap();
        (run, scheduler)
    }
}

fn goes_on_to_the_same_bits<R: Rule<f64> + Clone + Send + Sync + 'static>(rule: R) {
    let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
    let (train, test) = Standardiser::fit(&iris).apply(&iris).split_stratified(0.5, 0);
    let (held_out, folder) = (test.whole(), folder("resume"));
    let path = folder.join("run.safetensors");
    let (run, mut scheduler) = Run::new(rule.clone());
    let whole = run.train(&mut scheduler, 5, &train, &held_out);
    for stops in [&[1_u32][..], &[2, 3], &[1, 2, 3, 4]] {
        let (mut run, mut scheduler) = Run::new(rule.clone());
        for &stop in stops {
            run = run.train(&mut scheduler, stop, &train, &held_out);
            run.save(&scheduler, &path);
            (run, scheduler) = Run::load(rule.clone(), &path);
        }
        let run = run.train(&mut scheduler, 5, &train, &held_out);
        let name = rule.name();
        assert_eq!(run.net, whole.net, "{name}");
        assert_eq!(**run.rule.memory(), **whole.rule.memory(), "{name}");
        assert_eq!((&run.history, &run.stop, &run.best), (&whole.history, &whole.stop, &whole.best), "{name}");
        assert_eq!((&run.rates, run.steps), (&whole.rates, whole.steps), "{name}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn training_that_was_stopped_goes_on_to_the_same_bits() {
    goes_on_to_the_same_bits(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01, ..Sgd::new(0.05) });
    goes_on_to_the_same_bits(Adam { amsgrad: true, ..Adam::adam_w(0.02) });
    goes_on_to_the_same_bits(Adamax::new(0.02));
    goes_on_to_the_same_bits(NAdam::new(0.02));
    goes_on_to_the_same_bits(RAdam::new(0.02));
    goes_on_to_the_same_bits(RmsProp { centred: true, momentum: 0.5, ..RmsProp::new(0.01) });
    goes_on_to_the_same_bits(Adagrad::new(0.05));
    goes_on_to_the_same_bits(Adadelta::new(1.0));
    goes_on_to_the_same_bits(Rprop::new(0.01));
    goes_on_to_the_same_bits(Lion::new(0.005));
    goes_on_to_the_same_bits(Clipped { clip: Clip::Norm(0.5), rule: Accumulated { every: 2, rule: Adam::new(0.02) } });
    let weighting = Weighting::Exponential(0.9);
    goes_on_to_the_same_bits(Averaged { weighting, after: 2, every: 1, rule: Sgd::new(0.05) });
}

/// What the child of the next test does, when it is told where: it saves again and again.
#[test]
fn saving_child() {
    let Some(path) = std::env::var_os("NN_SAVE_FOR_EVER") else { return };
    let path = PathBuf::from(path);
    for step in 0_u64.. {
        let mut checkpoint = Checkpoint::new();
        // Numbers that tell which step they are of, so that a mixture would show.
        let tensor = Tensor::<f64>::full([40_000], step as f64);
        checkpoint.put("net", &[tensor]).set("step", &step).save(&path).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_while_it_saves_leaves_a_whole_checkpoint() {
    let folder = folder("killed");
    let path = folder.join("run.safetensors");
    let kills: u64 = std::env::var("NN_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut last = None;
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["files::saving_child", "--exact", "--test-threads=1"])
            .env("NN_SAVE_FOR_EVER", &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Once the first file is there, at another moment each time.
        while !path.exists() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        std::thread::sleep(std::time::Duration::from_micros(7_000 + kill * 1_337 % 9_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let saved = Checkpoint::load(&path).unwrap();
        let step: u64 = saved.get("step").unwrap();
        let mut net = [Tensor::<f64>::zeros([40_000])];
        saved.restore("net", &mut net).unwrap();
        assert!(net[0].as_slice().iter().all(|&x| x == step as f64), "kill {kill}: step {step} is mixed");
        last = Some(step);
    }
    assert!(last.is_some());
    // The next save takes away what the killed ones have left.
    Checkpoint::new().save(&path).unwrap();
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["run.safetensors"]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// What the child of the next test does, under a limit of file size: it saves once, and tells the error.
#[test]
fn limited_child() {
    let Some(path) = std::env::var_os("NN_SAVE_LIMITED") else { return };
    let mut checkpoint = Checkpoint::new();
    let error = checkpoint.put("net", &Tensor::<f64>::ones([100_000])).save(PathBuf::from(&path)).unwrap_err();
    std::fs::write(PathBuf::from(path).with_extension("error"), error.to_string()).unwrap();
}

#[test]
#[cfg(unix)]
fn a_limit_of_file_size_and_a_full_disk_leave_the_old_file() {
    let folder = folder("limited");
    let path = folder.join("run.safetensors");
    let mut old = Checkpoint::new();
    old.set("step", &1_u64).save(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    // A write beyond the limit is an error where the signal is ignored.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" files::limited_child --exact"])
        .arg(std::env::current_exe().unwrap())
        .env("NN_SAVE_LIMITED", &path)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let error = std::fs::read_to_string(path.with_extension("error")).unwrap();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2); // nothing temporary
    if Path::new("/dev/full").exists() {
        let error = old.save("/dev/full").unwrap_err().to_string();
        assert!(error.starts_with("/dev/full"), "{error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn flats() -> (Table, Model) {
    let text = "size,city,rent\n50,Bern,1200\n80,Basel,1500\n,Bern,1300\n65,Zug,1900\n40,Basel,900\n90,Zug,2400\n";
    let table = Table::parse("flats.csv", text).unwrap();
    let schema = Schema::infer(&table, &["rent"], &[]).unwrap();
    let preprocess = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    let width = preprocess.examples::<f64>(&table).unwrap().width();
    let model = Model::new(schema, preprocess, Mlp::new(&[width, 3, 1], Activation::Tanh, 0));
    (table, model)
}

#[test]
fn files_of_the_first_version_are_read_for_ever() {
    let checkpoint = Checkpoint::load(fixture("checkpoint_v1.safetensors")).unwrap();
    let mut net = (Tensor::<f64>::zeros([2]), Tensor::<f64>::zeros([]));
    checkpoint.restore("net", &mut net).unwrap();
    assert_eq!((net.0.as_slice(), net.1.item()), (&[0.1, -2.0][..], 3.5));
    assert_eq!(checkpoint.get::<u64>("step").unwrap(), 17);

    let model = Model::load(fixture("model_v1.safetensors")).unwrap();
    let told = model.predict_row(&[("city", "Zug"), ("size", "70"), ("more", "?")]).unwrap().numbers[0];
    let golden: f64 = std::fs::read_to_string(fixture("model_v1.txt")).unwrap().trim().parse().unwrap();
    assert!((told - golden).abs() < 1e-9 * golden.abs(), "{told} was {golden}");
    // What stands for a missing cell in any file does so here.
    let of = |size: &str| model.predict_row(&[("city", "Zug"), ("size", size), ("more", "?")]).unwrap().numbers[0];
    assert_eq!(["NA", "NaN", "null", "?", " "].map(of), [of(""); 5]);
}

#[test]
fn a_newer_version_is_refused_by_name_and_what_is_not_known_is_kept() {
    let folder = folder("newer");
    let path = folder.join("run.safetensors");
    Checkpoint::new().set("step", &1_u64).save(&path).unwrap();
    let mut stored = Stored::read(&path).unwrap();
    stored.metadata.insert("of another program".into(), "stays".into());
    stored.write(&path).unwrap();
    Checkpoint::load(&path).unwrap().save(&path).unwrap();
    assert_eq!(Stored::read(&path).unwrap().metadata["of another program"], "stays");
    let text = stored.metadata["nn.checkpoint"].replace("\"version\":1", "\"version\":2");
    stored.metadata.insert("nn.checkpoint".into(), text);
    stored.write(&path).unwrap();
    let error = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_model_predicts_the_same_from_many_threads() {
    let (table, model) = flats();
    let once = model.predict(&table).unwrap();
    let once = format!("{:?}", once.columns);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..20).all(|_| format!("{:?}", model.predict(&table).unwrap().columns) == once)))
            .collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn the_ending_of_a_name_decides_the_format() {
    let folder = folder("endings");
    let net = mlp();
    let magic = |name: &str| std::fs::read(folder.join(name)).unwrap()[..2].to_vec();
    for name in ["a.npz", "b.NPZ"] {
        save(&net, folder.join(name)).unwrap();
        Stored::of(&net).write(folder.join(format!("stored-{name}"))).unwrap();
        assert_eq!((magic(name), magic(&format!("stored-{name}"))), (b"PK".to_vec(), b"PK".to_vec()));
        let mut again = Mlp::new(&[4, 8, 3], Activation::Tanh, 1);
        load(&mut again, folder.join(name)).unwrap();
        assert_eq!(again, net);
    }
    let metadata = [("note".to_owned(), "lost in npz".to_owned())].into();
    let error = Saving { metadata, ..Saving::default() }.save(&net, folder.join("c.npz")).unwrap_err().to_string();
    assert!(error.contains("c.npz") && error.contains("texts") && error.contains("safetensors"), "{error}");
    let error = Checkpoint::new().save(folder.join("d.npz")).unwrap_err().to_string();
    assert!(error.contains("safetensors"), "{error}");
    assert!(!folder.join("c.npz").exists() && !folder.join("d.npz").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_number_that_is_too_large_for_the_net_is_told_by_name() {
    let mut stored = Stored::default();
    stored.tensors.insert("0".into(), nn::data::Array::of(&Tensor::from([1e300])));
    let mut net = [Tensor::<f32>::zeros([1])];
    let error = Loading { round: true, ..Loading::default() }.apply(&mut net, "big.safetensors", &stored).unwrap_err();
    assert!(matches!(error.kind, Kind::Stored(_)));
    let text = error.to_string();
    assert!(text.contains("big.safetensors") && text.contains("`0`") && text.contains("f32"), "{text}");
}
