<?php
// Counts visits in PHP's own session, and greets by a form.
$user = $_SERVER['HTTP_X_AUTH_SUBJECT'];
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Visits</title>
<link rel="icon" href="data:,">
<h1>Visits</h1>
<p>You are <b id="user"><?= htmlspecialchars($user) ?></b>, in session <b id="session"><?= htmlspecialchars($_SERVER['HTTP_X_AUTH_SESSION']) ?></b>.</p>
<p><a id="home" href="/">Home</a> <b id="visits"><?= $_SESSION['visits'] ?></b></p>
<form id="greet" method="post" action="/php/"><input id="name" name="name" required autocomplete="off"><button>Greet</button></form>
<p id="greeting"><?= isset($_POST['name']) ? 'Hello ' . htmlspecialchars($_POST['name']) : '' ?></p>
</html>
