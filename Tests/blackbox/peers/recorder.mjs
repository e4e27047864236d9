// Prints its port, then one line of JSON for each request that Node's server has read to its end.
import http from "node:http"

const server = http.createServer((request, response) => {
  const pieces = []
  request.on("data", (piece) => pieces.push(piece))
  request.on("end", () => {
    console.log(JSON.stringify({
      method: request.method, target: request.url, body: Buffer.concat(pieces).toString("hex"),
    }))
    response.end()
  })
})
server.listen(0, "127.0.0.1", () => console.log(server.address().port))
