<?php
// PHP with Imagick in one process: makes both variants of a picture for every line that it is sent.
// usage: php imagick.php PICTURE FOLDER. Prints the milliseconds of each.
[, $path, $folder] = $argv;
Imagick::setResourceLimit(Imagick::RESOURCETYPE_THREAD, 1);
while (fgets(STDIN) !== false) {
    $started = hrtime(true);
    $image = new Imagick($path);
    $image->thumbnailImage(500, 500, true);
    $image->setImageCompressionQuality(80);
    $image->setImageFormat('jpeg');
    $image->writeImage("$folder/medium.jpg");
    $image->cropThumbnailImage(160, 160);
    $image->writeImage("$folder/thumb.jpg");
    $image->clear();
    echo (hrtime(true) - $started) / 1e6, "\n";
}
