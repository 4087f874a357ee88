"""What is wrong with a study before it runs.

Every value of a study's files is validated by itself (`sections`). A rule declares the values that it needs
(`rules.base.rule`) and runs where all of them are sound, so that one problem hides no other.
"""
