"""The AWS SDK 2: its modules work together as S3A calls them. What they do with a server is shown by S3A's tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

PROGRAM = """
import java.net.URI;
import java.time.Duration;
import software.amazon.awssdk.auth.credentials.*;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.*;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.transfer.s3.S3TransferManager;

class Program {
    public static void main(String[] arguments) {
        var who = StaticCredentialsProvider.create(AwsBasicCredentials.create("key", "secret"));
        var where = URI.create("http://127.0.0.1:9");
        var region = Region.US_EAST_1;
        try (var signer = S3Presigner.builder().region(region).credentialsProvider(who).build()) {
            System.out.println(signer.presignGetObject(ask -> ask.signatureDuration(Duration.ofMinutes(1))
                .getObjectRequest(object -> object.bucket("bucket").key("a/b"))).url());
        }
        var async = S3AsyncClient.builder().region(region).endpointOverride(where).credentialsProvider(who)
            .build();
        try (var manager = S3TransferManager.builder().s3Client(async).build()) {
            System.out.println("manager " + manager.getClass().getSimpleName());
        }
        try (var sts = StsClient.builder().region(region).endpointOverride(where).credentialsProvider(who)
                .build()) {
            sts.getCallerIdentity();
        } catch (software.amazon.awssdk.core.exception.SdkClientException error) {
            System.out.println("sts " + error.getMessage());
        }
    }
}
"""


def test_it_signs_transfers_and_asks_for_roles(run: Run) -> None:
    path = "/opt/spark/work-dir/Program.java"
    said = run("java", "-cp", "/opt/spark/jars/*", path, files={path: PROGRAM}).output
    assert "a/b?X-Amz-Algorithm=AWS4-HMAC-SHA256" in said
    assert "manager GenericS3TransferManager" in said
    assert "sts Unable to execute HTTP request" in said


def test_all_modules_are_of_one_version(host: Host) -> None:
    names = host.check_output("ls /opt/spark/jars").split()
    assert {match[1] for name in names if (match := re.fullmatch(r"(?:s3|sts|auth|sdk-core)-([\d.]+)\.jar", name))} == {
        "2.29.52"
    }
