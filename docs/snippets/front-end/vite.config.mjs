const cloakroom = "http://localhost:8080";

export default {
  server: {
    port: 5173,
    proxy: {
      "/auth": cloakroom,
      "/api": { target: cloakroom, ws: true },
    },
  },
};
