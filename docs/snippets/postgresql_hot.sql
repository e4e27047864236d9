SELECT n_tup_upd AS updates, round(100.0 * n_tup_hot_upd / nullif(n_tup_upd, 0), 1) AS hot_percent
FROM pg_stat_user_tables WHERE schemaname = 'cloakroom' AND relname = 'sessions';
