//! Names of parts as they are found in published datasets, and names of classes that only look like them.

use proptest::prelude::*;

use super::*;

fn part(name: &str) -> Option<Part> {
    recognise(name).map(|found| found.part)
}

/// Names that can only be those of a part.
const NAMES: [(Part, &[&str]); 3] = [
    (
        Part::Train,
        &[
            "train",
            "Train",
            "TRAIN",
            "training",
            "Training",
            "trn",
            "train_set",
            "train-set",
            "TrainSet",
            "trainSet",
            "trainset",
            "training_set",
            "Training Set",
            "train-images",
            "train_images",
            "TrainImages",
            "training_data",
            "train data",
            "train2017",
            "train_1",
            "01_train",
            "1-train",
            "train_256x256",
            "trainval",
            "train_val",
            "images_train",
            "img_train",
            "train.png",
            "(train)",
            "train_final",
            "traindata",
            "trainingset",
            "train_dataset",
            "entrenamiento",
            "Entrenamiento",
            "datos_entrenamiento",
            "treino",
            "apprentissage",
            "Entraînement",
            "Trainingsdaten",
            "trainings_daten",
            "addestramento",
            "обучающая выборка",
            "训练",
            "训练集",
            "训练数据集",
            "01_训练",
            "訓練",
            "訓練データ",
            "訓練用",
            "学習用データ",
            "훈련",
            "학습용데이터",
            "훈련 데이터",
            "प्रशिक्षण",
            "प्रशिक्षण डेटा",
            "प्रशिक्षण_१",
            "ट्रेनिंग-सेट",
        ],
    ),
    (
        Part::Val,
        &[
            "val",
            "Val",
            "VAL",
            "valid",
            "Valid",
            "validation",
            "Validation",
            "VALIDATION",
            "validate",
            "dev",
            "Dev",
            "devset",
            "dev_set",
            "val_set",
            "valset",
            "validation_set",
            "ValidationSet",
            "val2017",
            "val_images",
            "valid-images",
            "02_val",
            "validation data",
            "eval",
            "evaluation",
            "validación",
            "Validacion",
            "validação",
            "Validierung",
            "Validierungsdaten",
            "validatie",
            "валидация",
            "验证",
            "验证集",
            "驗證集",
            "検証用データ",
            "검증",
            "검증데이터",
            "सत्यापन",
            "02_सत्यापन",
            "मूल्यांकन",
            "評価",
        ],
    ),
    (
        Part::Test,
        &[
            "test",
            "Test",
            "TEST",
            "tests",
            "testing",
            "Testing",
            "tst",
            "परीक्षण",
            "परीक्षण चित्र",
            "टेस्ट_डेटा",
            "test_set",
            "testset",
            "TestSet",
            "test-set",
            "test1",
            "test2019",
            "test_images",
            "TestImages",
            "test data",
            "03_test",
            "testing_data",
            "prueba",
            "pruebas",
            "teste",
            "Testdaten",
            "Testbilder",
            "测试",
            "测试集",
            "測試",
            "テストデータ",
            "시험",
            "테스트셋",
            "тестовая выборка",
        ],
    ),
];

#[test]
fn names_of_parts_are_known() {
    for (want, names) in NAMES {
        for name in names {
            let found = recognise(name);
            assert_eq!(found.as_ref().map(|found| found.part), Some(want), "{name}");
            assert_eq!(found.unwrap().rest, Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn affixes_are_kept_for_comparison() {
    for (name, want, rest) in [
        ("seg_train", Part::Train, &["seg"][..]),
        ("seg_test", Part::Test, &["seg"]),
        ("flowers_train", Part::Train, &["flowers"]),
        ("flowers-validation", Part::Val, &["flowers"]),
        ("asl_alphabet_train", Part::Train, &["asl", "alphabet"]),
        ("rps-test-set", Part::Test, &["rps"]),
        ("validation-horse-or-human", Part::Val, &["horse", "or", "human"]),
        ("mnistTrain", Part::Train, &["mnist"]),
        ("RGBTrain", Part::Train, &["rgb"]),
        ("bullet_train", Part::Train, &["bullet"]),
    ] {
        let found = recognise(name).unwrap();
        assert_eq!(
            (found.part, found.rest.iter().map(String::as_str).collect()),
            (want, rest.to_vec()),
            "{name}"
        );
    }
}

#[test]
fn other_names_say_nothing() {
    for name in [
        "",
        "cat",
        "trains",
        "trainer",
        "trainers",
        "strain",
        "invalid",
        "valley",
        "validated",
        "device",
        "devil",
        "contest",
        "tester",
        "testa",
        "latest",
        "terrain",
        "retraining",
        "untested",
        "oval",
        "rival",
        "interval",
        "evaluator",
        "medieval",
        "train_test",
        "train_test_split",
        "val_test",
        "color",
        "2750",
        "images",
        "n02085620-Chihuahua",
        "поезд",
        "entrenador",
        "probar",
        "treinador",
        "Bilder",
        "Bahntraining",
        "数据集",
        "考试",
        "学校",
        "시험지",
        "列车",
    ] {
        assert_eq!(recognise(name), None, "{name}");
    }
}

#[test]
fn containers_are_no_classes() {
    for name in
        ["images", "Images", "JPEGImages", "annotations", "Labels", "masks", "meta", "SegmentationClass"]
    {
        assert!(is_container(name), "{name}");
    }
    for name in ["cat", "image_of_cat", "mask_on", "with_mask", "label_a"] {
        assert!(!is_container(name), "{name}");
    }
}

/// Any of the names above.
fn any_name() -> impl Strategy<Value = (Part, &'static str)> {
    let all: Vec<_> =
        NAMES.iter().flat_map(|&(part, names)| names.iter().map(move |&name| (part, name))).collect();
    prop::sample::select(all)
}

proptest! {
    #[test]
    fn the_case_of_a_single_word_does_not_matter(
        word in prop::sample::select([TRAIN, VAL, EVALUATION, TEST].concat()),
        upper in prop::collection::vec(any::<bool>(), 16),
    ) {
        let mixed: String = word
            .chars()
            .zip(upper)
            .map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c })
            .collect();
        prop_assert_eq!(recognise(&mixed), recognise(word), "{}", mixed);
        prop_assert!(recognise(word).is_some());
    }

    #[test]
    fn upper_and_lower_case_mean_the_same((part, name) in any_name()) {
        // Where capitals separate the words, the lower case has lost them; the glued forms are known all the same.
        for name in [name.to_uppercase(), name.to_lowercase()] {
            prop_assert_eq!(recognise(&name).map(|found| found.part), Some(part), "{}", name);
        }
    }

    #[test]
    fn an_affix_on_either_side_stays_as_the_rest(
        (want, name) in any_name(),
        affix in "[b-df-hj-np-su-w]{4,8}",
        separator in prop::sample::select(vec!["_", "-", " ", ".", "__"]),
    ) {
        for name in [format!("{affix}{separator}{name}"), format!("{name}{separator}{affix}")] {
            let found = recognise(&name);
            prop_assert_eq!(found.as_ref().map(|found| found.part), Some(want), "{}", name);
            prop_assert_eq!(found.unwrap().rest, vec![affix.clone()], "{}", name);
        }
    }

    #[test]
    fn two_parts_in_one_name_are_none((a, x) in any_name(), (b, y) in any_name()) {
        let joined = format!("{x}_{y}");
        let expected = match (a, b) {
            _ if a == b => part(&joined),
            (Part::Train, Part::Val) => part(&joined),
            _ => None,
        };
        prop_assert_eq!(part(&joined), expected, "{}", joined);
    }

    #[test]
    fn words_without_the_letters_of_a_part_are_classes(name in "[a-su-zA-SU-Z0-9 _.-]{0,20}") {
        // Every word of training and test has a t; those of validation have a v.
        prop_assume!(!name.to_lowercase().contains('v'));
        prop_assert_eq!(recognise(&name), None);
    }

    #[test]
    fn any_text_is_survived(name in "\\PC{0,40}") {
        let _ = (recognise(&name), is_container(&name));
    }
}
