"""Class-labelled images; `menu` lists them."""
