// Included by layouts.rs. The layouts are those of the published archives; the files are fewer.
const CASES: &[Case] = &[
    // What Wellfit has always read.
    Case("classes", &["{cat,dog}/{1,2}.jpg"], Parts("cat dog", [4, 0, 0])),
    Case("parts", &["{train,val,test}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 2])),
    Case("nested classes", &["cat/{1.jpg,deep/2.jpg}", "dog/1.jpg"], Parts("cat dog", [3, 0, 0])),
    // Datasets of Kaggle.
    Case(
        "chest-xray-pneumonia",
        &[
            "chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/1.jpg",
            "chest_xray/chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/1.jpg",
            "chest_xray/__MACOSX/chest_xray/train/NORMAL/._1.jpg",
        ],
        Parts("NORMAL PNEUMONIA", [2, 2, 2]),
    ),
    Case(
        "intel-image-classification",
        &["seg_{train/seg_train,test/seg_test}/{buildings,forest,sea}/1.jpg", "seg_pred/seg_pred/{3,5}.jpg"],
        Parts("buildings forest sea", [3, 0, 3]),
    ),
    Case(
        "dogs-vs-cats",
        &["train/{cat,dog}.{0,1}.jpg", "test1/{1,2}.jpg", "sampleSubmission.csv"],
        Refused(&["train: it holds 4 images but no folders of classes", "begin with ‘cat’, ‘dog’", "mkdir cat"]),
    ),
    Case(
        "dogs-vs-cats, nested",
        &["train/train/{cat,dog}.{0,1}.jpg", "test/test/{1,2}.jpg"],
        Refused(&["train", "4 images but no folders of classes", "‘cat’, ‘dog’"]),
    ),
    Case(
        "cat-and-dog",
        &["training_set/training_set/{cats,dogs}/{1.jpg,_DS_Store}", "test_set/test_set/{cats,dogs}/1.jpg"],
        Parts("cats dogs", [2, 0, 2]),
    ),
    Case(
        "fruits-360",
        &[
            "fruits-360/{Training,Test}/{Apple Braeburn,Banana}/1.jpg",
            "fruits-360/test-multiple_fruits/a.jpg",
            "fruits-360/papers/paper.pdf",
            "fruits-360/{readme.md,LICENSE}",
        ],
        Parts("Apple Braeburn Banana", [2, 0, 2]),
    ),
    Case(
        "brain-tumor-mri",
        &["{Training,Testing}/{glioma,meningioma,notumor}/1.jpg"],
        Parts("glioma meningioma notumor", [3, 0, 3]),
    ),
    Case(
        "gtsrb-german-traffic-sign",
        &["{Train,train}/{0,1}/1.png", "{Test,test,Meta,meta}/1.png", "Train.csv"],
        Refused(&["Train, train are all called like the training part"]),
    ),
    Case(
        "gtsrb once",
        &["Train/{0,1}/1.png", "{Test,Meta}/1.png", "{Train,Test,Meta}.csv"],
        Parts("0 1", [2, 0, 0]),
    ),
    Case(
        "asl-alphabet",
        &["asl_alphabet_train/asl_alphabet_train/{A,B,del}/1.jpg", "asl_alphabet_test/asl_alphabet_test/A_test.jpg"],
        Parts("A B del", [3, 0, 0]),
    ),
    Case(
        "plantvillage-dataset",
        &["plantvillage dataset/{color,grayscale,segmented}/{Apple___scab,Apple___healthy,Corn___rust}/1.jpg"],
        Refused(&["color, grayscale, segmented hold the same folders", "Apple___healthy", "Name one of them", "/color"]),
    ),
    Case("plantvillage", &["PlantVillage/{Pepper__bell,Potato___healthy}/1.JPG"], Parts(
        "Pepper__bell Potato___healthy",
        [2, 0, 0],
    )),
    Case(
        "new-plant-diseases",
        &[
            "New Plant Diseases Dataset(Augmented)/New Plant Diseases Dataset(Augmented)/{train,valid}/{a,b}/1.JPG",
            "test/test/AppleCedarRust1.JPG",
        ],
        Parts("a b", [2, 2, 0]),
    ),
    Case("flowers-recognition", &["flowers/{daisy,rose,tulip}/1.jpg"], Parts("daisy rose tulip", [3, 0, 0])),
    Case("flowers, twice", &["flowers/{daisy,rose}/1.jpg", "flowers/flowers/{daisy,rose}/1.jpg"], Parts(
        "daisy flowers rose",
        [4, 0, 0],
    )),
    Case(
        "real-and-fake-faces",
        &["real_vs_fake/real-vs-fake/{train,valid,test}/{real,fake}/1.jpg", "{train,valid,test}.csv"],
        Parts("fake real", [2, 2, 2]),
    ),
    Case(
        "10-monkey-species",
        &["{training/training,validation/validation}/{n0,n1}/1.jpg", "monkey_labels.txt"],
        Parts("n0 n1", [2, 2, 0]),
    ),
    Case(
        "food-11",
        &["{training,validation,evaluation}/{Bread,Egg}/1.jpg"],
        Parts("Bread Egg", [2, 2, 2]),
    ),
    Case(
        "sports classification",
        &["{train,valid,test}/{archery,boxing}/1.jpg", "sports.csv", "EfficientNetB0.h5"],
        Parts("archery boxing", [2, 2, 2]),
    ),
    Case("natural-images", &["{natural_images,data/natural_images}/{car,cat}/1.jpg"], Refused(&["hold the same"])),
    Case("covid", &["COVID-19_Radiography_Dataset/{COVID,Normal}/{images,masks}/1.png"], Refused(&[
        "hold the same folders",
        "‘images’ and ‘masks’",
    ])),
    Case("lung cancer", &["lung_colon_image_set/{lung,colon}_image_sets/{lung_n,colon_aca}/1.jpg"], Refused(&[
        "hold the same",
    ])),
    Case(
        "lung cancer as it is",
        &["set/colon_image_sets/{colon_aca,colon_n}/1.jpg", "set/lung_image_sets/{lung_aca,lung_n}/1.jpg"],
        Parts("colon_image_sets lung_image_sets", [4, 0, 0]),
    ),
    Case("fer2013", &["{train,test}/{angry,happy}/1.jpg"], Parts("angry happy", [2, 0, 2])),
    Case("emotions", &["images/{train,validation}/{angry,happy}/1.jpg"], Parts("angry happy", [2, 2, 0])),
    Case("vehicles", &["{plane,ship,train}/1.jpg"], Parts("plane ship train", [3, 0, 0])),
    Case("bullet trains", &["{bullet_train,steam_train,test_tube,valley}/1.jpg"], Parts(
        "bullet_train steam_train test_tube valley",
        [4, 0, 0],
    )),
    Case("vehicles with kinds of trains", &["{car,ship}/1.jpg", "train/{ice,tgv}/1.jpg"], Refused(&[
        "‘train’ may be the training part or a class",
        "car, ship, train",
    ])),
    // Datasets of universities and of torchvision.
    Case(
        "tiny-imagenet-200",
        &["tiny-imagenet-200/train/{n01,n02}/{images/0.JPEG,boxes.txt}", "tiny-imagenet-200/{val,test}/images/0.JPEG"],
        Refused(&["val/images: it holds 1 image but no folders", "a share of the training images"]),
    ),
    Case(
        "tiny-imagenet-200, val sorted",
        &["t/train/{n01,n02}/{images/0.JPEG,boxes.txt}", "t/val/{n01,n02}/images/0.JPEG", "t/test/images/0.JPEG"],
        Parts("n01 n02", [2, 2, 0]),
    ),
    Case(
        "ILSVRC",
        &[
            "ILSVRC/Data/CLS-LOC/train/{n01,n02}/1.JPEG",
            "ILSVRC/Data/CLS-LOC/{val,test}/ILSVRC_1.JPEG",
            "ILSVRC/Annotations/CLS-LOC/train/n01/1.xml",
            "ILSVRC/ImageSets/CLS-LOC/train_cls.txt",
        ],
        Refused(&["CLS-LOC/val: it holds 1 image but no folders of classes"]),
    ),
    Case("imagenette", &["imagenette2/{train,val}/{n01,n02}/1.JPEG", "imagenette2/noisy.csv"], Parts(
        "n01 n02",
        [2, 2, 0],
    )),
    Case(
        "food-101",
        &["food-101/images/{apple_pie,sushi}/1.jpg", "food-101/meta/train.txt", "food-101/README.txt"],
        Parts("apple_pie sushi", [2, 0, 0]),
    ),
    Case("caltech-101", &["caltech-101/101_ObjectCategories/{BACKGROUND_Google,accordion}/1.jpg"], Parts(
        "BACKGROUND_Google accordion",
        [2, 0, 0],
    )),
    Case(
        "caltech-101 with annotations",
        &["101_ObjectCategories/{ant,bass}/1.jpg", "Annotations/{ant,bass}/1.mat", "show_annotation.m"],
        Parts("ant bass", [2, 0, 0]),
    ),
    Case("caltech-256", &["256_ObjectCategories/{001.ak47,002.flag}/1.jpg"], Parts("001.ak47 002.flag", [2, 0, 0])),
    Case("eurosat", &["EuroSAT/2750/{AnnualCrop,Forest,River}/1.jpg"], Parts("AnnualCrop Forest River", [3, 0, 0])),
    Case("flower_photos", &["flower_photos/{daisy,roses}/1.jpg", "flower_photos/LICENSE.txt"], Parts(
        "daisy roses",
        [2, 0, 0],
    )),
    Case("stanford dogs", &["Images/{n1-Chihuahua,n2-Husky}/1.jpg", "Annotation/{n1-Chihuahua,n2-Husky}/n1"], Parts(
        "n1-Chihuahua n2-Husky",
        [2, 0, 0],
    )),
    Case("stanford cars", &["cars_train/cars_train/{1,2}.jpg", "cars_test/cars_test/1.jpg"], Refused(&[
        "cars_train/cars_train: it holds 2 images but no folders",
    ])),
    Case(
        "CUB_200_2011 with segmentations",
        &["{images,segmentations}/{001.Albatross,002.Gull}/1.jpg", "attributes/a.txt"],
        Refused(&["images, segmentations"]),
    ),
    Case("oxford pets", &["images/{Abyssinian,beagle}_{1,2}.jpg", "annotations/trimaps/Abyssinian_1.png"], Refused(&[
        "annotations, images are no names of classes",
    ])),
    Case("office-31", &["{amazon,dslr,webcam}/images/{back_pack,bike}/1.jpg"], Refused(&[
        "amazon, dslr, webcam hold the same folders",
        "‘back_pack’ and ‘bike’",
    ])),
    Case("PACS", &["{art_painting,cartoon,photo,sketch}/{dog,horse}/1.jpg"], Refused(&["art_painting", "sketch"])),
    Case("omniglot", &["images_background/{Arcadian,Greek}/1.png", "images_evaluation/{Atemayar,Gurmukhi}/1.png"], Refused(&[
        "images_evaluation",
    ])),
    Case("mnist_png", &["mnist_png/{training,testing}/{0,1,9}/1.png"], Parts("0 1 9", [3, 0, 3])),
    Case("cifar10 of fast.ai", &["cifar10/{train,test}/{bird,frog}/1.png", "cifar10/labels.txt"], Parts(
        "bird frog",
        [2, 0, 2],
    )),
    Case("lfw", &["lfw/{Aaron_Eckhart,Abel_Pacheco}/1.jpg"], Parts("Aaron_Eckhart Abel_Pacheco", [2, 0, 0])),
    Case("BreakHis", &[
        "BreaKHis_v1/histology_slides/breast/benign/SOB/{adenosis,fibroadenoma}/SOB_B_A_14/{40X,100X}/1.png",
        "BreaKHis_v1/histology_slides/breast/malignant/SOB/{ductal,lobular}/SOB_M_DC_14/{40X,100X}/1.png",
    ], Parts("benign malignant", [8, 0, 0])),
    Case("folds", &["fold{1,2,3}/{train,test}/{a,b}/1.jpg"], Refused(&["fold1, fold2, fold3 hold the same folders"])),
    Case("parts in classes", &["{cat,dog}/{train,test}/1.jpg"], Refused(&["the parts lie inside the classes"])),
    // Exports of tools.
    Case("Roboflow, classification", &["{train,valid,test}/{a,b}/1.jpg", "README.roboflow.txt"], Parts(
        "a b",
        [2, 2, 2],
    )),
    Case("Roboflow, YOLO", &["{train,valid,test}/images/1.jpg", "{train,valid,test}/labels/1.txt", "data.yaml"], Refused(&[
        "images, labels are no names of classes",
        "detection",
    ])),
    Case("YOLO, images first", &["{images,labels}/{train,val}/1.jpg"], Refused(&["images, labels"])),
    Case("Pascal VOC", &["VOC2012/{JPEGImages/1.jpg,SegmentationClass/1.png}", "VOC2012/Annotations/1.xml"], Refused(&[
        "Annotations, JPEGImages, SegmentationClass are no names of classes",
    ])),
    Case("Keras' cats_and_dogs_filtered", &[
        "cats_and_dogs_filtered/{train,validation}/{cats,dogs}/1.jpg",
        "cats_and_dogs_filtered/vectorize.py",
    ], Parts("cats dogs", [2, 2, 0])),
    Case("rps of Keras' author", &["rps/rps/{paper,rock}/1.png", "rps-test-set/rps-test-set/{paper,rock}/1.png"], Parts(
        "paper rock",
        [2, 0, 2],
    )),
    Case("horse-or-human", &["{horse-or-human,validation-horse-or-human}/{horses,humans}/1.png"], Parts(
        "horses humans",
        [2, 2, 0],
    )),
    Case("Google Drive", &["drive-download-2024-001/photos/{cat,dog}/1.jpg"], Parts("cat dog", [2, 0, 0])),
    // Spellings.
    Case("capitals", &["{TRAIN,Valid,TeSt}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 2])),
    Case("Train and dev", &["{Train,dev}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 0])),
    Case("abbreviated", &["{trn,val,tst}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 2])),
    Case("numbered", &["{01_train,02_val,03_test}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 2])),
    Case("by years", &["{train2017,val2017,test2017}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 2])),
    Case("sets", &["{TrainSet,ValidationSet,TestSet}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 2])),
    Case("images of", &["{train-images,val-images,test_images}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 2])),
    Case("prefixed", &["flowers_{train,val,test}/{rose,tulip}/1.jpg"], Parts("rose tulip", [2, 2, 2])),
    Case("different affixes", &["{train_augmented,test_final}/{rose,tulip}/1.jpg"], Parts("rose tulip", [2, 0, 2])),
    Case("trainval", &["{trainval,test}/{rose,tulip}/1.jpg"], Parts("rose tulip", [2, 0, 2])),
    Case("train and eval", &["{train,eval}/{rose,tulip}/1.jpg"], Parts("rose tulip", [2, 2, 0])),
    Case("deep", &["photos/dataset/{train,test}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 0, 2])),
    Case("both val and valid", &["{train,val,valid}/{cat,dog}/1.jpg"], Refused(&["val, valid are all called like"])),
    Case("two to train on", &["{train,train_augmented,test}/{cat,dog}/1.jpg"], Refused(&[
        "train, train_augmented are all called like the training part",
    ])),
    Case("misspelt", &["{trian,test}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 0, 2])),
    Case("Spanish", &["{entrenamiento,prueba}/{gato,perro}/1.jpg"], Parts("gato perro", [2, 0, 2])),
    Case("German", &["{Lernen,Prüfen,Testen}/{Hund,Katze}/1.jpg"], Refused(&["Lernen, Prüfen, Testen"])),
    Case("letters", &["{A,B}/{cat,dog,owl}/1.jpg"], Refused(&["A, B hold the same folders"])),
    // Parts that are missing, flat or empty.
    Case("test only", &["{val,test}/{cat,dog}/1.jpg"], Refused(&["no training part", "test, val"])),
    Case("a test part alone", &["test/{cat,dog}/1.jpg"], Refused(&["it holds a test part only", "test itself"])),
    Case("a test part in a wrapper", &["pets/test/{cat,dog}/1.jpg"], Refused(&["it holds a test part only"])),
    Case("an empty test part and extra", &["train/{cat,dog}/1.jpg", "test/", "extra/1.jpg"], Parts("cat dog", [2, 0, 0])),
    Case("labels beside classes", &["{cat,dog}/1.jpg", "labels/list.csv"], Parts("cat dog", [2, 0, 0])),
    Case("one class to check", &["{learn/cat,learn/dog,check/cat}/1.jpg"], Refused(&["check, learn hold the same"])),
    Case("a wrapper called test", &["test-data/{train,val}/{cat,dog}/1.jpg"], Parts("cat dog", [2, 2, 0])),
    Case("a flat test part", &["{train,val}/{cat,dog}/1.jpg", "test/{1,2}.jpg"], Parts("cat dog", [2, 2, 0])),
    Case("an empty test part", &["train/{cat,dog}/1.jpg", "test/"], Parts("cat dog", [2, 0, 0])),
    Case("an empty val part", &["train/{cat,dog}/1.jpg", "val/.gitkeep"], Parts("cat dog", [2, 0, 0])),
    Case("classes of an empty test part", &["train/{cat,dog}/1.jpg", "test/{cat,dog}/"], Parts("cat dog", [2, 0, 0])),
    Case("a test part with a stranger", &["train/{cat,dog}/1.jpg", "test/{cat,owl}/1.jpg"], Parts("cat dog", [2, 0, 0])),
    Case("a test part of one class", &["train/{cat,dog}/1.jpg", "test/cat/1.jpg"], Parts("cat dog", [2, 0, 1])),
    Case("a flat val part", &["train/{cat,dog}/1.jpg", "val/1.jpg"], Refused(&["val: it holds 1 image but no folders"])),
    Case("an empty training part", &["train/", "test/{cat,dog}/1.jpg"], Refused(&["train: it holds no images"])),
    Case("flat test beside classes", &["{cat,dog}/1.jpg", "test/{1,2}.jpg"], Parts("cat dog", [2, 0, 0])),
    Case("empty test beside classes", &["{cat,dog}/1.jpg", "test/"], Parts("cat dog", [2, 0, 0])),
    Case("test beside classes", &["{cat,dog,test/cat,test/dog}/1.jpg"], Parts("cat dog", [2, 0, 2])),
    Case("val beside classes", &["{cat,dog,val/cat,val/dog}/1.jpg"], Parts("cat dog", [2, 2, 0])),
    Case("valid or not", &["{valid,invalid}/1.jpg"], Refused(&["‘valid’ may be the validation part or a class"])),
    Case("test against control", &["{control,test}/1.jpg"], Refused(&["‘test’ may be the test part or a class"])),
    Case("extra in no part", &["{train,test}/{cat,dog}/1.jpg", "extra/1.jpg"], Parts("cat dog", [2, 0, 2])),
    Case("a class is missing in val", &["train/{cat,dog}/1.jpg", "val/dog/1.jpg"], Parts("cat dog", [2, 1, 0])),
    // What lies about.
    Case("macOS", &["{cat,dog}/{1.jpg,._1.jpg,.DS_Store}", "__MACOSX/cat/._1.jpg", ".DS_Store"], Parts(
        "cat dog",
        [2, 0, 0],
    )),
    Case("Windows", &["{cat,dog}/{1.jpg,Thumbs.db,desktop.ini}", "System Volume Information/1.jpg"], Parts(
        "cat dog",
        [2, 0, 0],
    )),
    Case("Synology", &["{cat,dog}/{1.jpg,@eaDir/1.jpg/SYNOPHOTO_THUMB.jpg}", "@eaDir/1.jpg"], Parts(
        "cat dog",
        [2, 0, 0],
    )),
    Case("Jupyter", &["{cat,dog}/{1.jpg,.ipynb_checkpoints/1-checkpoint.jpg}", ".ipynb_checkpoints/x.jpg"], Parts(
        "cat dog",
        [2, 0, 0],
    )),
    Case("runs inside", &["{cat,dog}/1.jpg", "runs/a-1/{run.toml,loss.png}"], Parts("cat dog", [2, 0, 0])),
    Case("a run inside", &["{cat,dog}/1.jpg", "a-1/{run.toml,loss.png}"], Parts("cat dog", [2, 0, 0])),
    Case("a run beside parts", &["{train,test}/{cat,dog}/1.jpg", "run/{events.jsonl,loss.png}"], Parts(
        "cat dog",
        [2, 0, 2],
    )),
    Case("images beside classes", &["{cat,dog}/1.jpg", "{a,b}.jpg"], Parts("cat dog", [2, 0, 0])),
    Case("images only", &["{1,2}.jpg"], Refused(&["holds 2 images but no sub-folders"])),
    Case("images with names", &["{cat,dog}_{1,2}.jpg"], Refused(&["begin with ‘cat’, ‘dog’"])),
    Case("one class", &["cat/1.jpg"], Refused(&["only one class, ‘cat’"])),
    Case("an empty class", &["{cat,dog}/1.jpg", "owl/notes.txt"], Refused(&["owl holds no images"])),
    Case("a class of HEIC", &["cat/1.jpg", "dog/{1,2,3}.heic"], Refused(&["dog holds no images", "but 3 .heic"])),
    Case("nothing but AVIF", &["{1,2}.avif"], Refused(&["holds 0 images", "but 2 .avif that cannot be read"])),
    Case("no images", &["{cat,dog}/notes.txt"], Refused(&["cat", "dog", "no images"])),
    Case("an empty folder", &[".keep"], Refused(&["holds 0 images but no sub-folders"])),
];
