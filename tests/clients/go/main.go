// Drives a running appliance through a client that was generated from its API document.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"vitrina-client-test/vitrina"
)

// A client for whoever holds the token, which travels with the context.
func signedIn(token string) context.Context {
	return context.WithValue(context.Background(), vitrina.ContextAccessToken, token)
}

func must[T any](value T, _ *http.Response, err error) T {
	check(err == nil, err)
	return value
}

func check(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprint(what...))
	}
}

// The problem that a call was refused with: switch on its code.
func problem(err error) vitrina.Problem {
	var refused *vitrina.GenericOpenAPIError
	check(errors.As(err, &refused), "this should have been refused: ", err)
	return refused.Model().(vitrina.Problem)
}

func statusOf(url string) int {
	answer, err := http.Get(url)
	check(err == nil, err)
	answer.Body.Close()
	return answer.StatusCode
}

// A token for this journey alone, by one that may do everything, and who is behind a password.
func logIn(client *vitrina.APIClient) context.Context {
	all := signedIn(os.Getenv("VITRINA_TOKEN"))
	accounts := client.AccountsAPI
	request := vitrina.NewSignInRequest("ana", "wrong")
	_, _, err := accounts.CreateSession(all).SignInRequest(*request).Execute()
	check(problem(err).Code == "wrong_credentials", err)
	request.Password = os.Getenv("VITRINA_PASSWORD")
	session := must(accounts.CreateSession(all).SignInRequest(*request).Execute())
	check(session.User.Username == "ana", session)

	wish := vitrina.NewTokenRequest("Go", []string{"media:read", "media:write"})
	wish.SetExpiresIn(600_000)
	made := must(accounts.CreateToken(all).TokenRequest(*wish).Execute())
	return signedIn(made.GetToken())
}

func upload(client *vitrina.APIClient, me context.Context, path string) (*vitrina.Media, error) {
	file, err := os.Open(path)
	check(err == nil, err)
	defer file.Close()
	request := client.MediaAPI.UploadMediaBytes(me).Filename("Größe.png").Title("From Go")
	made, _, err := request.Body(file).Execute()
	return made, err
}

func allOfMine(client *vitrina.APIClient, me context.Context) map[string]int {
	seen, request := map[string]int{}, client.MediaAPI.ListMedia(me).Owner("me").Limit(2)
	for {
		page := must(request.Execute())
		check(len(page.Items) <= 2, page)
		for _, item := range page.Items {
			seen[item.Id]++
		}
		if page.Next == nil {
			return seen
		}
		request = request.After(*page.Next)
	}
}

func main() {
	configuration := vitrina.NewConfiguration()
	configuration.Servers[0].URL = os.Getenv("VITRINA_URL") + "/api/v2"
	client := vitrina.NewAPIClient(configuration)
	media, me := client.MediaAPI, logIn(client)

	pictures, ids := os.Args[1:], []string{}
	check(len(pictures) > 2)
	for _, path := range pictures {
		made, err := upload(client, me, path)
		check(err == nil, err)
		check(made.GetTitle() == "From Go" && made.Width == 640 && made.Height == 480, made)
		ids = append(ids, made.Id)
	}
	listed := allOfMine(client, me)
	for _, id := range ids {
		check(listed[id] == 1, listed)
	}

	id := ids[0]
	smaller := vitrina.NewRenderRequest()
	smaller.SetWidth(100)
	rendering := must(media.CreateRenderingUrl(me, id).RenderRequest(*smaller).Execute())
	check(statusOf(rendering.Url) == 200, rendering)

	change := vitrina.NewMediaPatch()
	change.SetTitle("Renamed")
	change.SetVisibility("private")
	changed := must(media.UpdateMedia(me, id).MediaPatch(*change).Execute())
	check(changed.GetTitle() == "Renamed", changed)

	// Private means private, but a signed address opens it.
	check(statusOf(changed.Urls.Original) >= 400, changed)
	wish := vitrina.NewSignRequest()
	wish.SetExpiresIn(60_000)
	signed := must(media.CreateSignedUrl(me, id).SignRequest(*wish).Execute())
	check(statusOf(signed.Url) == 200, signed)

	for _, id := range ids {
		_, err := media.DeleteMedia(me, id).Permanent(true).Execute()
		check(err == nil, err)
	}
	_, _, err := media.GetMedia(me, id).Execute()
	check(problem(err).Code == "not_found", err)
	_, err = upload(client, me, "go.mod")
	check(problem(err).Code == "unsupported_media", err)
	fmt.Println("the generated Go client works")
}
