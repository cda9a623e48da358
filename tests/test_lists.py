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
