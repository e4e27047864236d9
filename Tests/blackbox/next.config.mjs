const cloakroom = "http://localhost:8080";

export default {
  async rewrites() {
    return ["auth", "api"].map((name) => ({
      source: `/${name}/:path*`,
      destination: `${cloakroom}/${name}/:path*`,
    }));
  },
};
