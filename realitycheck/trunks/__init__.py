"""Networks that turn images into feature maps; `menu` lists them."""
