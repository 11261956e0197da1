<?php
// PHP with GD in one process: makes both variants of a picture for every line that it is sent.
// usage: php gd.php PICTURE FOLDER. Prints the milliseconds of each.
[, $path, $folder] = $argv;
ini_set('memory_limit', '-1');
while (fgets(STDIN) !== false) {
    $started = hrtime(true);
    $image = imagecreatefromstring(file_get_contents($path));
    if ($image === false) {
        exit(1);
    }
    [$width, $height] = [imagesx($image), imagesy($image)];
    $scale = 500 / max($width, $height);
    [$w, $h] = [(int) round($width * $scale), (int) round($height * $scale)];
    $medium = imagecreatetruecolor($w, $h);
    imagecopyresampled($medium, $image, 0, 0, 0, 0, $w, $h, $width, $height);
    imagejpeg($medium, "$folder/medium.jpg", 80);
    $side = min($w, $h);
    $thumb = imagecreatetruecolor(160, 160);
    $left = intdiv($w - $side, 2);
    $top = intdiv($h - $side, 2);
    imagecopyresampled($thumb, $medium, 0, 0, $left, $top, 160, 160, $side, $side);
    imagejpeg($thumb, "$folder/thumb.jpg", 80);
    echo (hrtime(true) - $started) / 1e6, "\n";
}
