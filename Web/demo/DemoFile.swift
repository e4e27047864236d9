package import CloakroomWeb

/// The sample app of `cloakroom serve --demo`. Its HTML has placeholders for `Page`.
extension WebFile {
    package static let demoPage = html(PackageResources.demo_html)
    package static let demoScript = script(PackageResources.demo_js)
    package static let lookScript = script(PackageResources.look_js)
    package static let demoStyle = style(PackageResources.demo_css)
}
