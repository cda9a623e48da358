import json

import numpy as np
import pytest
from PIL import Image

from hardpairs.data.datasets import load_dataset, load_split, open_source
from hardpairs.errors import InputError


def write(folder, names, suffix=".jpg"):
    folder.mkdir(parents=True, exist_ok=True)
    for shade, name in enumerate(names):
        Image.new("RGB", (12, 12), (shade, 0, 200)).save(folder / f"{name}{suffix}")


@pytest.mark.parametrize(
    ("below", "listed", "header"),
    [
        (".", "{}.jpg", "filename,label"),
        (".", "{}", "id,breed"),  # Kaggle's dog breeds
        ("train", "{}", "id_code,diagnosis"),  # Kaggle's blindness detection
        ("images", "images/{}.jpg", "path,class"),
        ("train", "{}.jpg", "image_id,something,label,more"),
    ],
)
def test_a_table_says_what_pictures_show(tmp_path, below, listed, header):
    names = [f"p{index}" for index in range(10)]
    write(tmp_path / below, [*names, "extra"])
    columns = header.count(",")
    rows = []
    for index, name in enumerate(names):
        cells = ["9"] * columns
        label = header.split(",").index("label") - 1 if columns > 1 else 0
        cells[label] = ["cat", "dog"][index % 2]
        rows.append(",".join([listed.format(name), *cells]))
    (tmp_path / "train.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "sample_submission.csv").write_text("id,label\np0,0\np1,0\n")
    source = open_source(tmp_path)
    assert source.class_names == ("cat", "dog")
    split = source.read()
    assert split.labels.tolist() == [0, 1] * 5
    assert [int(image[0, 0, 2] > 150) for image in split.images[:]] == [1] * 10
    prefix = "" if below == "." else f"{below}/"
    assert split.ids[1] == f"{prefix}p1.jpg"
    assert source.notes == (f"Left out, having no label: {prefix}extra.jpg.",)
    dataset = load_dataset(tmp_path)
    assert len(dataset.train) == 8
    assert set(dataset.test.labels.tolist()) == {0, 1}


def test_two_tables_are_two_parts(tmp_path):
    for part, names in (("train", "abcdef"), ("test", "xyz")):
        write(tmp_path / part, names)
        rows = [f"{name}.jpg,{index % 2}" for index, name in enumerate(names)]
        (tmp_path / f"{part}.csv").write_text("\n".join(["file,label", *rows]))
    dataset = load_dataset(tmp_path)
    assert dataset.train.ids.tolist() == [f"train/{name}.jpg" for name in "abcdef"]
    assert dataset.test.labels.tolist() == [0, 1, 0]


def test_a_list_of_pictures_that_are_not_there(tmp_path):
    write(tmp_path, "abcd")
    (tmp_path / "labels.csv").write_text("file,label\na.jpg,0\nb.jpg,1\nz.jpg,1\n")
    with pytest.raises(InputError, match=r"lists 1 pictures that aren't there \(z\.jpg"):
        load_split(tmp_path)


@pytest.mark.parametrize("text", ["", "a,b\n", "x,y\n1,2\n", "file,p,q\na.jpg,0.1,0.9\n", "\x00"])
def test_other_tables_beside_pictures_are_left_alone(tmp_path, text):
    write(tmp_path, "abcd")
    (tmp_path / "other.csv").write_text(text)
    assert not load_split(tmp_path).has_labels


def test_a_competitions_folder(tmp_path):
    """As Kaggle's blindness detection: pictures of both parts, labels of one."""
    write(tmp_path / "train_images", [f"a{index}" for index in range(6)], ".png")
    write(tmp_path / "test_images", ["b0", "b1"], ".png")
    lines = [f"a{index},{index % 2}" for index in range(6)]
    (tmp_path / "train.csv").mkdir()  # As Windows unpacks train.csv.zip.
    (tmp_path / "train.csv" / "train.csv").write_text("\n".join(["id_code,diagnosis", *lines]))
    (tmp_path / "._train.csv").write_bytes(b"\0\5\x16\7\xff")  # As macOS shadows it.
    (tmp_path / "test.csv").write_text("id_code\nb0\nb1\n")
    (tmp_path / "sample_submission.csv").write_text("id_code,diagnosis\nb0,0\nb1,0\n")
    source = open_source(tmp_path)
    split = source.read()
    assert split.ids.tolist() == [f"train_images/a{index}.png" for index in range(6)]
    assert split.labels.tolist() == [0, 1] * 3
    assert source.notes == ("Left out, having no label: test_images/b0.png, test_images/b1.png.",)


NINE = [f"p{index}" for index in range(9)]
KINDS = ["cat", "dog", "owl"]


def write_list(folder, lines, header="filename,label"):
    write(folder / "images", NINE)
    (folder / "labels.csv").write_text("\n".join(filter(None, [header, *lines])) + "\n")


@pytest.mark.parametrize(
    "place",
    ["/data/images/{}.jpg", r"images\{}.jpg", r"C:\Users\me\photos\{}.jpg", "./images/{}.jpg"],
)
def test_paths_of_other_machines_name_pictures(tmp_path, place):
    write_list(
        tmp_path, [f"{place.format(name)},{KINDS[row % 3]}" for row, name in enumerate(NINE)]
    )
    source = open_source(tmp_path)
    assert source.class_names == tuple(KINDS)
    assert source.read().labels.tolist() == [0, 1, 2] * 3


def test_a_list_without_a_header_or_of_one_column_for_each_class(tmp_path):
    lines = [f"{name}.jpg,{KINDS[row % 3]}" for row, name in enumerate(NINE)]
    write_list(tmp_path / "bare", lines, header="")
    hot = ["1,0,0", "0,1,0", "0,0,1"]
    lines = [f"{name},{hot[row % 3]}" for row, name in enumerate(NINE)]
    write_list(tmp_path / "hot", lines, header="image,Cat,dog,owl")
    for folder, first in (("bare", "cat"), ("hot", "Cat")):
        source = open_source(tmp_path / folder)
        assert source.class_names == (first, "dog", "owl")
        assert source.read().labels.tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize("header", ["filename,label,split", "labels,filepaths,data set"])
def test_a_column_tells_the_parts(tmp_path, header):
    is_test = [row >= 6 for row in range(9)]
    lines = [[f"{name}.jpg", KINDS[row % 3]] for row, name in enumerate(NINE)]
    if header.startswith("labels"):
        lines = [line[::-1] for line in lines]
    told = [
        ",".join([*line, "test" if test else "train"])
        for line, test in zip(lines, is_test, strict=True)
    ]
    write_list(tmp_path, told, header)
    source = open_source(tmp_path)
    assert [len(source.read(part)) for part in ("train", "test")] == [6, 3]


def test_a_picture_counts_once_and_has_one_label(tmp_path):
    lines = [f"{name}.jpg,{KINDS[row % 3]}" for row, name in enumerate(NINE)]
    write_list(tmp_path / "same", [*lines, lines[0]])
    source = open_source(tmp_path / "same")
    assert len(source.read()) == 9
    assert "listed several times: images/p0.jpg" in source.notes[0]
    write_list(tmp_path / "other", [*lines, "p0.jpg,owl"])
    with pytest.raises(InputError, match=r"p0\.jpg the label 'cat' and in another line 'owl'"):
        open_source(tmp_path / "other")


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_metadata_of_hugging_faces_imagefolder(tmp_path, ending):
    for part, count in (("train", 9), ("test", 6)):
        write(tmp_path / part, NINE[:count], ".png")
        rows = [{"file_name": f"{NINE[row]}.png", "label": KINDS[row % 3]} for row in range(count)]
        if ending == ".jsonl":
            lines = [json.dumps(row) for row in rows]
        else:
            lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        (tmp_path / part / f"metadata{ending}").write_text("\n".join(lines))
    source = open_source(tmp_path)
    assert source.class_names == tuple(KINDS)
    assert [len(source.read(part)) for part in ("train", "test")] == [9, 6]
    assert source.read("test").ids[0] == "test/p0.png"


def test_classes_txt_names_the_numbers_of_a_list(tmp_path):
    write_list(tmp_path, [f"{name}.jpg,{row % 3}" for row, name in enumerate(NINE)])
    (tmp_path / "classes.txt").write_text("zebra\nowl\ncat\n")
    assert open_source(tmp_path).class_names == ("zebra", "owl", "cat")
    assert load_dataset(tmp_path).class_names == ("zebra", "owl", "cat")
    (tmp_path / "classes.txt").write_text("zebra\nowl\n")
    with pytest.raises(InputError, match="class"):
        open_source(tmp_path)


def test_folders_of_pictures_aren_t_silently_the_classes_of_a_list(tmp_path):
    for part in ("images_1", "images_2"):
        write(tmp_path / part, [f"{part}_{name}" for name in NINE])
    rows = [f"images_{1 + row % 2}_{name},{KINDS[row % 3]}" for row, name in enumerate(NINE)]
    (tmp_path / "metadata.csv").write_text("\n".join(["image_id,label", *rows]))
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == ("images_1", "images_2")
    assert "metadata.csv lists the pictures too and isn't used" in dataset.notes[0]


def test_a_list_that_agrees_with_the_class_folders_is_no_matter(tmp_path):
    for kind in KINDS:
        write(tmp_path / kind, NINE)
    rows = [f"{kind}/{name}.jpg,{place}" for place, kind in enumerate(KINDS) for name in NINE]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]))
    (tmp_path / "damaged.csv").write_bytes(b"path,label\n\xff\xfe\x00,1\n")
    dataset = load_dataset(tmp_path)
    assert dataset.class_names == tuple(KINDS)
    assert not any("lists" in note for note in dataset.notes)


def test_a_list_without_a_usual_name_for_its_labels_is_named(tmp_path):
    write_list(tmp_path, [f"{name}.jpg,melanoma,80" for name in NINE], "image_id,dx,age")
    with pytest.raises(InputError, match=r"one of 'dx', 'age' in labels\.csv holds"):
        load_dataset(tmp_path)


def test_a_list_that_names_the_classes_needs_no_other(tmp_path):
    write_list(tmp_path, [f"{name}.jpg,{KINDS[row % 3]}" for row, name in enumerate(NINE)])
    rows = [f"{name}.jpg,{KINDS[0]}" for name in NINE]
    (tmp_path / "sample_submission.csv").write_text("\n".join(["filename,label", *rows]))
    assert not any("lists" in note for note in load_dataset(tmp_path).notes)


def test_a_table_beside_images_that_are_no_files_is_no_matter(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 8, 8), np.uint8), labels=np.arange(9) % 3)
    (tmp_path / "mapping.csv").write_text("number,name\n0,cat\n1,dog\n")
    assert len(load_dataset(tmp_path).train) == 7
