<?php
// A backend: php -S 127.0.0.1:3000 index.php. It responds with the user of the access token.
declare(strict_types=1);

require __DIR__ . '/access_token.php';

$claims = requireToken();
header('Content-Type: application/json');
echo json_encode(['sub' => $claims['sub'], 'sid' => $claims['sid']]);
