"""Names under which tools keep images, labels and the like: columns of tables, arrays of files.

Of several the one that stands first here counts.
"""

PICTURES = (
    *("images", "image", "imgs", "img", "pictures", "picture", "photo", "pixels"),
    "pixel_values",
)
IMAGES = (*PICTURES, "x", "data", "features")  # Where nothing but images and labels is expected.
LABELS = (
    *("labels", "label", "lbls", "lbl", "fine_label", "y", "target", "targets", "class", "digit"),
    *("emotion", "category", "class_name", "classes"),
)
CLASS_NAMES = ("class_names", "label_names", "target_names", "names", "categories", "classes")
IDS = (
    *("ids", "id", "filenames", "filename", "file_names", "file_name", "image_ids", "image_id"),
    *("imageid", "paths", "path"),
)
PARTS = ("usage", "split", "subset", "partition")
