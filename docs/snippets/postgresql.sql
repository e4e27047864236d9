CREATE ROLE cloakroom LOGIN;
CREATE DATABASE cloakroom OWNER cloakroom;
