"""The hand-over between a classifier and everything that is said of it.

Whatever is given becomes `Predictions` in three steps:

1. It is read. `load` picks a file's reader by its ending: `sheets` for tables (`delimited`,
   `json_files`, `arrow_files`), `numpy_files`, `yolo`. `memory` takes what a program hands over.
2. Its parts are told apart, which gives a `Found`. Of a table `table` finds labels and ids, and
   `score_columns` what is predicted; `faults` and `instead` refuse what isn't predictions.
3. `convert` makes the parts what they must be: `joined_truth` puts labels from elsewhere (`truth`)
   beside them, `classes` names the classes, `probabilities` recognises logits and percentages.
"""
