"""The cellar: what every room stands on and no room owns. No tables, no Django app, no business."""
