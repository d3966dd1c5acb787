from thermal_landmarks.commands.visualize import main

if __name__ == "__main__":
    main()
