"""From files to batches: readers, images, cache, synthetic faces, augmentation."""
