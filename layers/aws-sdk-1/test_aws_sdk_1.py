"""The AWS SDK 1: its modules work with the jackson, joda-time and httpclient of Spark 3.5."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

PROGRAM = """
import com.amazonaws.*;
import com.amazonaws.auth.*;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.AmazonS3ClientBuilder;
import com.amazonaws.services.securitytoken.*;
import com.amazonaws.services.securitytoken.model.GetCallerIdentityRequest;

class Program {
    public static void main(String[] arguments) {
        var who = new AWSStaticCredentialsProvider(new BasicAWSCredentials("key", "secret"));
        var s3 = AmazonS3ClientBuilder.standard().withCredentials(who).withRegion("us-east-1").build();
        var soon = new java.util.Date(System.currentTimeMillis() + 60000);
        System.out.println(s3.generatePresignedUrl("bucket", "a/b", soon));
        var once = new ClientConfiguration().withMaxErrorRetry(0);
        var sts = AWSSecurityTokenServiceClientBuilder.standard().withCredentials(who).withClientConfiguration(once)
            .withEndpointConfiguration(new EndpointConfiguration("http://127.0.0.1:9", "us-east-1")).build();
        try {
            sts.getCallerIdentity(new GetCallerIdentityRequest());
        } catch (SdkClientException error) {
            System.out.println("sts " + error.getMessage());
        }
    }
}
"""


def test_it_signs_and_asks_for_roles(run: Run) -> None:
    path = "/opt/spark/work-dir/Program.java"
    said = run("java", "-cp", "/opt/spark/jars/*", path, files={path: PROGRAM}).output
    assert "/a/b?" in said
    assert "Signature=" in said
    assert "sts Unable to execute HTTP request" in said


def test_all_modules_are_of_one_version(host: Host) -> None:
    names = host.check_output("ls /opt/spark/jars").split()
    versions = {match[1] for name in names if (match := re.fullmatch(r"aws-java-sdk-[a-z0-9]+-([\d.]+)\.jar", name))}
    assert versions == {"1.12.262"}
