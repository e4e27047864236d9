const cloakroom = "http://localhost:8080";

export default {
  mode: "development",
  devServer: {
    port: 5173,
    proxy: [{ context: ["/auth", "/api"], target: cloakroom, ws: true }],
  },
};
