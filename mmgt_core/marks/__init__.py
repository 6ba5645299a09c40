"""What a generated file says about itself: the record, its forms in files, watermark, label and signature."""
