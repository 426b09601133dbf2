//! Somebody who uses the API as a program does.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::within_async;

/// A person with a session, in an organization of their own.
pub struct Person {
    /// Keeps the session's cookie.
    pub client: reqwest::Client,
    url: String,
}

impl Person {
    /// Signs up.
    pub async fn sign_up(url: &str, email: &str) -> Self {
        let person = Self::nobody(url);
        let body = json!({
            "email": email, "password": "correct horse battery", "full_name": "Ada Lovelace",
            "organization_name": format!("Organization of {email}"),
        });
        let answer =
            person.client.post(format!("{url}/v1/auth/sign-up")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
        person
    }

    /// Logs in.
    pub async fn log_in(url: &str, email: &str, password: &str) -> Self {
        let person = Self::nobody(url);
        let body = json!({ "email": email, "password": password });
        let answer =
            person.client.post(format!("{url}/v1/auth/log-in")).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        person
    }

    /// Somebody without a session.
    pub fn nobody(url: &str) -> Self {
        let client = reqwest::Client::builder().cookie_store(true).build().unwrap();
        Self { client, url: url.to_owned() }
    }

    /// Somebody with the cookies of this client.
    pub fn with(client: reqwest::Client, url: &str) -> Self {
        Self { client, url: url.to_owned() }
    }

    /// `GET`
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    /// `POST`
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// The JSON at a path; anything but success fails the test.
    pub async fn json(&self, path: &str) -> Value {
        answered(self.get(path)).await
    }

    /// Uploads a file; answers the data set.
    pub async fn upload(&self, name: &str, content: Vec<u8>) -> Value {
        let path = format!("/v1/datasets/upload?name={name}&file_name={name}.csv");
        answered(self.post(&path).body(content)).await
    }

    /// Asks for an analysis; answers it.
    pub async fn analyse(&self, dataset: &Value, parameters: Value) -> Value {
        let body = json!({ "dataset_id": dataset["id"], "parameters": parameters });
        answered(self.post("/v1/bias_analyses").json(&body)).await
    }

    /// Waits until an analysis is at its end; answers it.
    pub async fn ended(&self, analysis: &Value) -> Value {
        let path = format!("/v1/bias_analyses/{}", analysis["id"].as_str().unwrap());
        within_async("the analysis ends", async || {
            let now = self.json(&path).await;
            ["completed", "failed", "cancelled"]
                .contains(&now["status"].as_str().unwrap())
                .then_some(now)
        })
        .await
    }
}

/// The JSON of a successful answer.
pub async fn answered(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}
