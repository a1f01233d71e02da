//! The Ingress of `networking.k8s.io/v1beta1` and `extensions/v1beta1`, for the check of types:
//! the crate of Kubernetes types no longer has it.

use k8s_openapi::api::core::v1::TypedLocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields are there for their types")]
pub(crate) struct Ingress {
    api_version: Option<String>,
    kind: Option<String>,
    metadata: Option<ObjectMeta>,
    spec: Option<Spec>,
    status: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields are there for their types")]
struct Spec {
    ingress_class_name: Option<String>,
    backend: Option<Backend>,
    tls: Option<Vec<Tls>>,
    rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields are there for their types")]
struct Backend {
    service_name: Option<String>,
    service_port: Option<IntOrString>,
    resource: Option<TypedLocalObjectReference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields are there for their types")]
struct Tls {
    hosts: Option<Vec<String>>,
    secret_name: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are there for their types")]
struct Rule {
    host: Option<String>,
    http: Option<Http>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are there for their types")]
struct Http {
    paths: Option<Vec<Path>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields are there for their types")]
struct Path {
    path: Option<String>,
    path_type: Option<String>,
    backend: Option<Backend>,
}
